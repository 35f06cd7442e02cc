/*
 * The survey: what TLS do remote servers speak. An index; each part has its header.
 *
 *   survey/wire.h    ClientHellos by hand, a server's first flight (pure)
 *   survey/offer.h   what a hello of ours can offer (pure)
 *   survey/probe.h   one server, looked at
 *   survey/scan.h    many servers, in parallel and politely
 */
#pragma once
#include "survey/offer.h"
#include "survey/probe.h"
#include "survey/scan.h"
#include "survey/wire.h"

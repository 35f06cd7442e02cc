/*
 * The survey: what TLS do remote servers speak. An index; each part has its header.
 *
 *   survey/wire.h    ClientHellos by hand, a server's first flight (pure)
 *   survey/offer.h   what a hello of ours can offer (pure)
 *   survey/probe.h   one server, looked at
 *   survey/sts.h     MTA-STS records and policies (pure)
 *   survey/scan.h    many servers, in parallel and politely; scan_domain.h: domains, whose MX names are asked
 *   survey/scan_cache.h  results of earlier scans; scan_except.h: who is not asked (pure)
 *   survey/fleet.h   what their results say together: sums, the odd one out, changes (pure)
 */
#pragma once
#include "survey/fleet.h"
#include "survey/offer.h"
#include "survey/probe.h"
#include "survey/scan.h"
#include "survey/scan_domain.h"
#include "survey/sts.h"
#include "survey/wire.h"

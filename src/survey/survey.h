/*
 * The survey: what TLS do remote servers speak. An index; each part has its header.
 *
 *   probe/wire.h    ClientHellos by hand, a server's first flight (pure)
 *   probe/offer.h   what a hello of ours can offer (pure)
 *   probe/probe.h   one server, looked at
 *   survey/sts.h     MTA-STS records and policies (pure)
 *   survey/scan.h    many servers, in parallel and politely; scan_domain.h: domains, whose MX names
 *                    are asked
 *   survey/scan_cache.h  results of earlier scans; scan_except.h: who is not asked (pure)
 *   survey/fleet.h   what their results say together: sums, the odd one out, changes (pure)
 */
#pragma once
#include "survey/fleet.h"
#include "probe/offer.h"
#include "probe/probe.h"
#include "survey/scan.h"
#include "survey/scan_domain.h"
#include "survey/sts.h"
#include "probe/wire.h"

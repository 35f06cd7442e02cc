/* Inside the scan: politeness, which hosts (scan.c) and policies (scan_sts.c) share. */
#pragma once
#include "survey/scan_domain.h"

/* A probe_gate_fn; arg: the scan. Each connection takes the next slot of the whole run. Suspends. 0 or -ECANCELED. */
int scan_gate(void *arg);
/* The address ("192.0.2.1") is the caller's until it is given back; the text must live that long. Suspends. 0 or -ECANCELED. */
int scan_take_address(struct scan *s, struct span address);
void scan_give_address(struct scan *s, struct span address);

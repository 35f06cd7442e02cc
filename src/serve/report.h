/* Faults as JSON: in the status, in answers on the control socket, between supervisor and
 * worker. */
#pragma once
#include "base/fault.h"
#include "base/jsonw.h"

/* A list of current faults, at most REPORT_FAULTS_MAX; others are counted only. */
#define REPORT_FAULTS_MAX 100
struct report {
	struct fault *v;
	unsigned n, more;
};
void report_add(struct report *r, const struct fault *f);
void report_clear(struct report *r);
void report_done(struct report *r);
/* The faults as values of the array that is open in j. */
void report_values(struct jsonw *j, const struct report *r);

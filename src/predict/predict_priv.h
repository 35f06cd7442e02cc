/* Inside the prediction: lists to hellos. */
#pragma once
#include "predict/predict.h"

/* What a supposed client has; all of them numbers of one size, so that equal ones are equal bytes.
 * Zero: nothing. */
struct predict_lists {
	uint16_t suites[PREDICT_SUITES_MAX], groups[PREDICT_GROUPS_MAX], signatures[PREDICT_SIGNATURES_MAX];
	uint16_t suites_n, groups_n, signatures_n;
	/* the highest up to TLS 1.2; below TLS 1.0 there are no extensions */
	uint16_t version;
	uint16_t with_13, with_12; /* TLS 1.3; TLS 1.2 or what is below */
};

/* ---- suites.c ---- */

/* The groups and signature algorithms of the essay, behind those that are there, once each. */
void predict_usual_groups(struct predict_lists *l);
void predict_usual_signatures(struct predict_lists *l);
/* The records. name: asked for (SNI); may be empty. b has room for PREDICT_HELLO_ROOM. */
#define PREDICT_HELLO_ROOM 4096
void predict_hello_write(struct buf *b, const struct predict_lists *l, struct span name);

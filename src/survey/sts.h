/*
 * MTA-STS (RFC 8461): a domain says by HTTPS which MX names senders may use, and that they must
 * speak TLS with a valid certificate.
 *
 *   sts.c         the TXT record and the policy file (pure)
 *   scan_sts.c    fetched for a survey
 */
#pragma once
#include <stdbool.h>
#include "base/arena.h"

#define STS_POLICY_MAX 65536 /* bytes */
#define STS_MX_MAX     64
#define STS_ID_MAX     32

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };
const char *sts_mode_text(enum sts_mode m);
struct sts_policy {
	enum sts_mode mode;
	uint64_t max_age_s;
	/* patterns: "mx.example.net" or "*.example.net"; in lower case */
	struct span mx[STS_MX_MAX];
	unsigned mx_n;
};
/* One TXT record's text. 1: it is one of MTA-STS and *ret_id its id; 0: it is another's; -EPROTO:
 * it is one, but broken. */
int sts_record_parse(struct span text, struct span *ret_id);
/* 0, or -EPROTO and *ret_why. */
int sts_policy_parse(struct span text, struct arena *a, struct sts_policy *ret, const char **ret_why);
/* RFC 8461 4.1: exact, or one label for the asterisk; case does not count. */
bool sts_policy_covers(const struct sts_policy *p, struct span mx);

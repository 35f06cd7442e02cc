/* Lines of logs: whatever they hold, the table stays within its bounds, its sums are sums, and its
 * texts are safe. */
#include "base/mem.h"
#include "logs/logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_safe(const char *text)
{
	must(strlen(text) < LOGS_TEXT);
	for (; *text; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void look(const struct logs *l, const struct log_peer *p)
{
	uint64_t causes = 0;
	bool sure;

	must_be_safe(p->host), must_be_safe(p->reason), must_be_safe(p->refused_for), must_be_safe(p->refused_with);
	must(p->uses_n <= LOGS_USES_MAX && p->causes_n <= LOGS_CAUSES_MAX);
	for (unsigned i = 0; i < p->causes_n; i++)
		causes += p->causes[i].count;
	must(causes <= p->failures_in + p->failures_out);
	must(p->first_at <= p->last_at);
	logs_is_rsa_only(l, p, &sure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct logs *l = logs_new(0, 8);

	logs_feed(l, span_make(data, size), 1704500000);
	logs_feed(l, span_make(data, size), 1704500000);
	logs_conclude(l);
	must(logs_count(l) <= 8);
	for (unsigned i = 0; i < logs_count(l); i++)
		look(l, logs_peer(l, i));
	logs_free(l);
	return 0;
}

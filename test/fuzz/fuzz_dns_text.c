/* Records to text: whatever a message holds, what is printed are printable ASCII characters in
 * bounded number. */
#include "base/mem.h"
#include "dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX ((size_t)1 << 20)

static void print(struct span message, const struct dns_record *record, struct buf *out)
{
	buf_reset(out);
	dns_record_text(message, record, out);
	must(!buf_error(out) && out->n > 0);
	for (size_t i = 0; i < out->n; i++)
		must(out->p[i] >= ' ' && out->p[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct span message = span_make(data, size);
	struct dns_question question;
	struct dns_record record;
	struct dns_header header;
	struct dns_reader r;

	if (size > DNS_MESSAGE_MAX)
		return 0;
	dns_reader_init(&r, message);
	dns_read_header(&r, &header);
	for (unsigned i = 0; i < header.questions && !r.error; i++)
		dns_read_question(&r, &question);
	while (!r.error && r.at < r.n) {
		dns_read_record(&r, &record);
		if (!r.error)
			print(message, &record, &out);
	}
	buf_done(&out);
	return 0;
}

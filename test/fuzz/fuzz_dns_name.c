/* Names: from text to the wire and back, and from the wire of a hostile message; both ways give the
 * same name. */
#include "base/mem.h"
#include "dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_SIZE];
	struct dns_name again;
	size_t n = dns_name_text(name, text);

	must(n < sizeof(text) && text[n] == 0);
	must(name->n >= 1 && name->p[name->n - 1] == 0);
	must(dns_name_parse(span_make(text, n), &again) == 0);
	must(again.n == name->n && memcmp(again.p, name->p, name->n) == 0);
	must(dns_name_under(name, &again));
	dns_name_lower(&again);
	must(dns_name_eq(name, &again));
	dns_name_up(&again);
	must(dns_name_under(name, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_reader r;
	struct dns_name name;
	uint16_t type;

	if (dns_name_parse(span_make(data, size), &name) == 0)
		check_name(&name);
	dns_type_parse(span_make(data, size), &type);
	dns_reader_init(&r, span_make(data, size));
	for (size_t at = 0; at < size && at < 64; at++) {
		r.at = at;
		r.error = false;
		dns_read_name(&r, &name);
		must(!r.error || name.n == 1);
		must(r.error || r.at > at);
		check_name(&name);
	}
	return 0;
}

/* The PROXY protocol's header: never past the end, never more than its limit, and a header
 * that is whole stays the same whatever follows it. */
#include <errno.h>
#include "base/mem.h"
#include "io/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size);
	struct proxy_header header, again;
	char text[NET_ADDR_SIZE];
	size_t used, used_again;
	int r = proxy_header_parse(bytes, &header, &used);

	must(r == 1 || (r == 0 && size < 65551) || r == -EPROTO);
	if (r != 1)
		return 0;
	must(used > 0 && used <= size && used <= 65551);
	must(proxy_header_parse(span_sub(bytes, 0, used - 1), &again, &used_again) == 0);
	must(proxy_header_parse(span_sub(bytes, 0, used), &again, &used_again) == 1);
	must(used_again == used && again.has_addrs == header.has_addrs);
	if (header.has_addrs) {
		must(net_addr_eq(&header.source, &again.source));
		net_addr_text(&header.source, text);
		net_addr_text(&header.target, text);
	}
	return 0;
}

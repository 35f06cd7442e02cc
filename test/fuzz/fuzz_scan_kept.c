/* A line of the file that keeps results of scans: read, restored as a result, judged and written
 * again. */
#include "base/mem.h"
#include "survey/scan_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct probe *p)
{
	struct fault *found = mem_zalloc(PROBE_FINDINGS_MAX, sizeof(*found));
	struct buf out = BUF_INIT(8 << 20);
	struct scan_kept again;

	must(probe_findings(p, 1700000000, found) <= PROBE_FINDINGS_MAX);
	must(p->certs_n <= PROBE_CERTS_MAX);
	scan_kept_write(p, 1700000000, &out);
	must(buf_error(&out) || scan_kept_read(buf_span(&out), p->arena, &again) == 0);
	buf_done(&out);
	mem_free(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct probe_settings settings = { .smtp = true, .helo = "probe.example.net" };
	struct scan_kept k;
	struct arena a;

	arena_init(&a, 4096);
	if (scan_kept_read(span_make(data, size), &a, &k) == 0)
		for (int whole = 0; whole < 2; whole++) {
			struct probe p = { .settings = &settings, .host = SPAN("mx.example.net"), .arena = &a };

			must(net_addr_parse_host(SPAN("192.0.2.1"), &p.addr) == 0);
			net_addr_set_port(&p.addr, 25);
			if (scan_kept_restore(&k, whole, 1700000000, &p) == 0)
				check(&p);
		}
	arena_done(&a);
	return 0;
}

/*
 * The certificate folders, watched by looking each second (names, sizes, times), and read when
 * that changed, once a minute in any case. And the keys of session tickets, which live here so that
 * a new worker still resumes sessions of the old one.
 */
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "serve/supervisor.h"

#define LOOK_MS   1000
#define READ_MS   60000
#define ROTATE_MS (12 * 3600 * 1000ull)

static void tell_tickets(struct supervisor *sv)
{
	struct span keys = span_make(&sv->watch.tickets, sizeof(sv->watch.tickets));
	int fd = memfd_from("torhaus-tickets", keys);

	if (fd < 0)
		return;
	children_tell(sv, CHANNEL_TICKETS, 0, SPAN(""), &fd, 1);
	close(fd);
}

static void keep(struct supervisor *sv, struct buf *blob, uint64_t hash)
{
	int fd = memfd_from("torhaus-certificates", buf_span(blob));

	if (fd < 0) {
		log_event(LOG_LEVEL_ERROR, "tls", "certs-not-passed-on", "error=%s", log_value(span_of(strerror(-fd))));
		return;
	}
	/* Until a worker says that the new files serve, it is the former that do. */
	if (sv->watch.blob >= 0 && sv->served < 0)
		sv->served = sv->watch.blob;
	else if (sv->watch.blob >= 0)
		close(sv->watch.blob);
	sv->watch.blob = fd;
	sv->watch.hash = hash;
	sv->watch.tag++;
	children_tell(sv, CHANNEL_CERTS, sv->watch.tag, SPAN(""), &fd, 1);
}

void watch_read(struct supervisor *sv, bool always)
{
	const struct conf_list *folders = &sv->settings->certificates;
	struct buf blob = BUF_INIT(LARGE_MAX);
	struct tls_files *files;
	uint64_t hash;

	sv->watch.stamp = tls_files_stamp(folders->v, folders->n);
	sv->watch.read_ms = clock_mono_ms();
	files = tls_files_read(folders->v, folders->n);
	tls_files_pack(files, &blob);
	tls_files_free(files);
	hash = span_hash(buf_span(&blob), 0);
	if (buf_error(&blob) == 0 && (always || hash != sv->watch.hash))
		keep(sv, &blob, hash);
	if (blob.p)
		explicit_bzero(blob.p, blob.n);
	buf_done(&blob);
}

void watch_begin(struct supervisor *sv)
{
	uint64_t now = clock_mono_ms();

	if (sv->watch.tickets.key[0].made_at == 0)
		tls_ticket_keys_rotate(&sv->watch.tickets, clock_wall_s());
	sv->watch.rotate_ms = now + ROTATE_MS;
	sv->watch.next_ms = now + LOOK_MS;
	watch_read(sv, true);
}

void watch_turn(struct supervisor *sv, uint64_t *deadline)
{
	const struct conf_list *folders = &sv->settings->certificates;
	uint64_t now = clock_mono_ms();

	if (now >= sv->watch.rotate_ms) {
		tls_ticket_keys_rotate(&sv->watch.tickets, clock_wall_s());
		sv->watch.rotate_ms = now + ROTATE_MS;
		tell_tickets(sv);
	}
	if (now >= sv->watch.next_ms) {
		if (tls_files_stamp(folders->v, folders->n) != sv->watch.stamp || now >= sv->watch.read_ms + READ_MS)
			watch_read(sv, false);
		sv->watch.next_ms = now + LOOK_MS;
	}
	if (sv->watch.next_ms < *deadline)
		*deadline = sv->watch.next_ms;
}

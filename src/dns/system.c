/*
 * What the operator has said to the system about names: /etc/resolv.conf (nameserver, search,
 * domain, options ndots) and /etc/hosts, as in resolv.conf(5) and hosts(5).
 *
 * Both are read on a helper thread, at first use and when they have changed; they are looked at
 * every 5 s. Not here: nsswitch (sources other than these two are not asked), options other than
 * ndots, addresses with a zone (%eth0).
 *
 * A name with a dot is meant as it stands, whatever ndots says: the origin of a customer's site
 * must not become a host of ours because its own name has no answer just now.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "dns/resolver_priv.h"
#include "io/helper.h"

#define LOOK_MS     5000
#define FILE_MAX    ((size_t)4 << 20)
#define SEARCH_MAX  8
#define NDOTS_MAX   15
#define HOST_MAX    253
#define RESOLV_PATH "/etc/resolv.conf"
#define HOSTS_PATH  "/etc/hosts"

struct host {
	struct host *next;
	struct net_addr addr;
};
struct system_conf {
	atomic_uint refs;
	struct arena arena;
	struct map hosts; /* name in lower case -> struct host */
	unsigned servers_n, search_n, ndots;
	struct net_addr servers[DNS_UPSTREAMS_MAX];
	struct dns_name search[SEARCH_MAX];
};

/* ---- text ---- */

static bool next_word(struct span *rest, struct span *ret)
{
	size_t start = 0, end;

	while (start < rest->n && (rest->p[start] == ' ' || rest->p[start] == '\t' || rest->p[start] == '\r'))
		start++;
	end = start;
	while (end < rest->n && rest->p[end] != ' ' && rest->p[end] != '\t' && rest->p[end] != '\r')
		end++;
	*ret = span_sub(*rest, start, end - start);
	*rest = span_from(*rest, end);
	return ret->n > 0;
}

/* A line without its comment. */
static bool next_line(struct span *rest, struct span *ret)
{
	if (!span_cut(rest, '\n', ret))
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (ret->p[i] == '#' || (ret->p[i] == ';' && i == 0)) {
			*ret = span_sub(*ret, 0, i);
			break;
		}
	return true;
}

static void take_search(struct system_conf *c, struct span rest)
{
	struct span word;

	for (c->search_n = 0; c->search_n < SEARCH_MAX && next_word(&rest, &word);)
		if (dns_name_parse(word, &c->search[c->search_n]) == 0)
			c->search_n++;
}

static void take_options(struct system_conf *c, struct span rest)
{
	struct span word;
	uint64_t n;

	while (next_word(&rest, &word))
		if (span_starts(word, SPAN("ndots:")) && span_to_u64(span_from(word, 6), &n) == 0)
			c->ndots = n < NDOTS_MAX ? (unsigned)n : NDOTS_MAX;
}

static void take_server(struct system_conf *c, struct span rest)
{
	struct net_addr *a = &c->servers[c->servers_n];
	struct span word;

	if (c->servers_n == DNS_UPSTREAMS_MAX || !next_word(&rest, &word) || net_addr_parse_host(word, a) < 0)
		return;
	net_addr_set_port(a, DNS_PORT);
	c->servers_n++;
}

static void parse_resolv(struct system_conf *c, struct span text)
{
	struct span line, word;

	while (next_line(&text, &line)) {
		if (!next_word(&line, &word))
			continue;
		if (span_eq(word, SPAN("nameserver")))
			take_server(c, line);
		else if (span_eq(word, SPAN("search")) || span_eq(word, SPAN("domain")))
			take_search(c, line);
		else if (span_eq(word, SPAN("options")))
			take_options(c, line);
	}
}

static struct span lower(struct span name, char room[HOST_MAX])
{
	size_t n = name.n < HOST_MAX ? name.n : HOST_MAX;

	for (size_t i = 0; i < n; i++)
		room[i] = ascii_lower(name.p[i]);
	return span_make(room, n);
}

static void add_host(struct system_conf *c, struct span name, const struct net_addr *addr)
{
	struct host *h = arena_new(&c->arena, struct host), *first;
	char room[HOST_MAX];
	struct span key = lower(name, room);

	h->addr = *addr;
	first = map_find(&c->hosts, key);
	if (!first) {
		map_put(&c->hosts, arena_span(&c->arena, key), h);
		return;
	}
	while (first->next)
		first = first->next;
	first->next = h;
}

static void parse_hosts(struct system_conf *c, struct span text)
{
	struct span line, word;
	struct net_addr addr;

	while (next_line(&text, &line)) {
		if (!next_word(&line, &word) || net_addr_parse_host(word, &addr) < 0)
			continue;
		while (next_word(&line, &word))
			add_host(c, word, &addr);
	}
}

struct system_conf *system_conf_parse(struct span resolv, struct span hosts)
{
	struct system_conf *c = mem_new(struct system_conf);

	atomic_init(&c->refs, 1);
	arena_init(&c->arena, 4096);
	map_init(&c->hosts);
	c->ndots = 1;
	parse_resolv(c, resolv);
	if (c->servers_n == 0)
		take_server(c, SPAN("127.0.0.1"));
	parse_hosts(c, hosts);
	return c;
}

struct system_conf *system_conf_unref(struct system_conf *c)
{
	if (c && atomic_fetch_sub(&c->refs, 1) == 1) {
		map_done(&c->hosts);
		arena_done(&c->arena);
		mem_free(c);
	}
	return NULL;
}

/* ---- use ---- */

unsigned system_conf_servers(const struct system_conf *c, struct net_addr ret[DNS_UPSTREAMS_MAX])
{
	memcpy(ret, c->servers, c->servers_n * sizeof(*ret));
	return c->servers_n;
}

unsigned system_conf_hosts(const struct system_conf *c, struct span name, struct net_addr *ret, unsigned max)
{
	char room[HOST_MAX];
	const struct host *h;
	unsigned n = 0;

	if (span_ends(name, SPAN(".")))
		name.n--;
	h = map_find(&c->hosts, lower(name, room));

	for (; h && n < max; h = h->next)
		ret[n++] = h->addr;
	return n;
}

static bool below(const struct dns_name *name, const struct dns_name *domain, struct dns_name *ret)
{
	unsigned n = name->n - 1u;

	if (n + domain->n > DNS_NAME_MAX)
		return false;
	memcpy(ret->p, name->p, n);
	memcpy(ret->p + n, domain->p, domain->n);
	ret->n = (uint8_t)(n + domain->n);
	return true;
}

bool system_conf_candidate(const struct system_conf *c, struct span name, unsigned i, struct dns_name *ret)
{
	unsigned search_n = span_index(name, '.') >= 0 ? 0 : c->search_n, whole_at;
	struct dns_name whole;

	if (dns_name_parse(name, &whole) < 0 || i > search_n)
		return false;
	dns_name_lower(&whole);
	/* resolv.conf(5): with dots enough, here none, the name itself comes first, else last. */
	whole_at = c->ndots == 0 ? 0 : search_n;
	*ret = whole;
	if (i == whole_at)
		return true;
	/* One that would be too long is the name itself once more: harmless. */
	below(&whole, &c->search[i < whole_at ? i : i - 1], ret);
	dns_name_lower(ret);
	return true;
}

/* ---- the files ---- */

struct file_mark {
	ino_t inode;
	off_t size;
	struct timespec changed;
};
struct system_files {
	pthread_mutex_t lock;
	uint64_t looked_ms;
	struct file_mark marks[2];
	struct system_conf *conf;
};

struct system_files *system_files_new(void)
{
	struct system_files *f = mem_new(struct system_files);

	pthread_mutex_init(&f->lock, NULL);
	return f;
}

struct system_files *system_files_free(struct system_files *f)
{
	if (!f)
		return NULL;
	system_conf_unref(f->conf);
	pthread_mutex_destroy(&f->lock);
	return mem_free(f);
}

static void read_file(const char *path, struct buf *text, struct file_mark *ret_mark)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *room;
	ssize_t n = 1;

	*ret_mark = (struct file_mark){ 0 };
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		*ret_mark = (struct file_mark){ st.st_ino, st.st_size, st.st_mtim };
	while (n > 0 && (room = buf_room(text, 4096))) {
		n = read(fd, room, 4096);
		if (n > 0)
			buf_grew(text, (size_t)n);
	}
	close(fd);
}

static bool is_same(const struct file_mark *mark, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return mark->inode == 0;
	return mark->inode == st.st_ino && mark->size == st.st_size && mark->changed.tv_sec == st.st_mtim.tv_sec &&
		mark->changed.tv_nsec == st.st_mtim.tv_nsec;
}

/* Lock held. */
static void read_files(struct system_files *f)
{
	struct buf resolv = BUF_INIT(FILE_MAX), hosts = BUF_INIT(FILE_MAX);

	read_file(RESOLV_PATH, &resolv, &f->marks[0]);
	read_file(HOSTS_PATH, &hosts, &f->marks[1]);
	system_conf_unref(f->conf);
	f->conf = system_conf_parse(buf_span(&resolv), buf_span(&hosts));
	buf_done(&resolv);
	buf_done(&hosts);
}

bool dns_is_in_hosts(struct span name)
{
	struct buf hosts = BUF_INIT(FILE_MAX);
	struct file_mark mark;
	struct system_conf *c;
	struct net_addr addr;
	unsigned n;

	read_file(HOSTS_PATH, &hosts, &mark);
	c = system_conf_parse(SPAN(""), buf_span(&hosts));
	n = system_conf_hosts(c, name, &addr, 1);
	system_conf_unref(c);
	buf_done(&hosts);
	return n > 0;
}

/* Upstreams of the system's for who has none. */
static void offer(struct dns_resolver *r, const struct system_conf *c)
{
	struct upstream_set *set = set_current(r);

	if (!set->probed && !set_is(set, c->servers, c->servers_n))
		set_upstreams(r, c->servers, c->servers_n, false);
	set_unref(set);
}

static void look(void *arg)
{
	struct dns_resolver *r = arg;
	struct system_files *f = r->files;

	pthread_mutex_lock(&f->lock);
	if (!f->conf || !is_same(&f->marks[0], RESOLV_PATH) || !is_same(&f->marks[1], HOSTS_PATH))
		read_files(f);
	f->looked_ms = clock_mono_ms();
	offer(r, f->conf);
	pthread_mutex_unlock(&f->lock);
}

static struct system_conf *conf_ref(struct system_files *f)
{
	struct system_conf *c;

	pthread_mutex_lock(&f->lock);
	c = f->conf;
	if (c)
		atomic_fetch_add(&c->refs, 1);
	pthread_mutex_unlock(&f->lock);
	return c;
}

static bool is_due(struct dns_resolver *r)
{
	struct system_files *f = r->files;
	bool due;

	pthread_mutex_lock(&f->lock);
	due = !f->conf || clock_mono_ms() - f->looked_ms >= LOOK_MS;
	pthread_mutex_unlock(&f->lock);
	return due || client_of(r)->set->n == 0;
}

struct system_conf *system_conf_get(struct dns_resolver *r)
{
	/* A full queue of helpers: what is known will do, or nothing. */
	if (is_due(r))
		helper_run(look, r);
	return conf_ref(r->files);
}

void dns_resolver_prepare(struct dns_resolver *r)
{
	system_conf_unref(system_conf_get(r));
}

/*
 * torhaus tls scan: whom it spares. Lists of those who do not want to be asked, and what was
 * answered within the last day.
 *
 * Always obeyed are /etc/torhaus/scan-except and, where --config or $TORHAUS_CONFIG names other
 * settings, scan-except beside those; a list that is there and cannot be read or understood ends
 * the scan before anybody is asked.
 *
 * Results are kept in $XDG_CACHE_HOME/torhaus/tls-scan, for root in /var/cache/torhaus/tls-scan,
 * else in ~/.cache/torhaus/tls-scan.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/tls_scan.h"

#define EXCEPT_NAME   "scan-except"
#define EXCEPT_SYSTEM "/etc/torhaus/" EXCEPT_NAME
#define CACHE_NAME    "torhaus/tls-scan"

/* ---- lists ---- */

int tls_scan_entries(struct tls_scan *t, const char *path, tls_scan_entry_fn *fn)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int status = CLI_DONE;
	unsigned number = 0;
	size_t room = 0;
	char *line = NULL;
	ssize_t n;

	if (!f)
		return cli_usage(t->cli, "%s: %s", "%s: %s", path, strerror(errno));
	while (status == CLI_DONE && (n = getline(&line, &room, f)) >= 0) {
		struct span rest = span_make(line, (size_t)n), entry;

		number++;
		span_cut(&rest, '#', &entry);
		while (entry.n && (entry.p[entry.n - 1] == '\n' || entry.p[entry.n - 1] == '\r'))
			entry.n--;
		entry = span_trim(entry);
		if (entry.n)
			status = fn(t, path, number, entry);
	}
	if (status == CLI_DONE && ferror(f))
		status = cli_usage(t->cli, "%s: %s", "%s: %s", path, strerror(errno));
	mem_free(line);
	if (f != stdin)
		fclose(f);
	return status;
}

static int except(struct tls_scan *t, const char *path, unsigned line, struct span entry)
{
	char shown[128];
	int r = scan_except_add(&t->except, entry);

	if (r == -E2BIG)
		return cli_usage(t->cli, "%s: at most %u entries", "%s: höchstens %u Einträge", path, SCAN_EXCEPT_MAX);
	if (r == 0)
		return CLI_DONE;
	return cli_usage(t->cli,
		"%s:%u: \"%.*s\" is no name, address or network such as example.net (with all below it), 192.0.2.7 or "
		"192.0.2.0/24; nobody was asked",
		"%s:%u: \"%.*s\" ist kein Name, keine Adresse und kein Netz wie example.net (mit allem darunter), 192.0.2.7 oder "
		"192.0.2.0/24; niemand wurde gefragt",
		path, line, (int)fmt_safe(entry, "", shown, sizeof(shown)), shown);
}

static int except_if_there(struct tls_scan *t, const char *path)
{
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return CLI_DONE;
	return tls_scan_entries(t, path, except);
}

static int except_beside_settings(struct tls_scan *t)
{
	const char *slash = t->cli->config ? strrchr(t->cli->config, '/') : NULL;
	_cleanup_(mem_freep) char *path = NULL;

	if (!t->cli->config)
		return CLI_DONE;
	path = mem_textf("%.*s%s", slash ? (int)(slash + 1 - t->cli->config) : 0, t->cli->config, EXCEPT_NAME);
	return strcmp(path, EXCEPT_SYSTEM) == 0 ? CLI_DONE : except_if_there(t, path);
}

int tls_scan_read_excepted(struct tls_scan *t, const struct cli_args *args)
{
	int status = except_if_there(t, EXCEPT_SYSTEM);

	if (status == CLI_DONE)
		status = except_beside_settings(t);
	for (unsigned i = 0; i < args->n && status == CLI_DONE; i++)
		if (strcmp(args->v[i].option->name, "--except") == 0)
			status = tls_scan_entries(t, args->v[i].value, except);
	t->scan.except = &t->except;
	return status;
}

/* ---- results of earlier scans ---- */

static char *cache_path(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	const struct passwd *user;

	if (xdg && xdg[0] == '/')
		return mem_textf("%s/" CACHE_NAME, xdg);
	if (geteuid() == 0)
		return mem_text("/var/cache/" CACHE_NAME);
	user = home && home[0] == '/' ? NULL : getpwuid(geteuid());
	if (user)
		home = user->pw_dir;
	return mem_textf("%s/.cache/" CACHE_NAME, home && home[0] == '/' ? home : "");
}

int tls_scan_open_cache(struct tls_scan *t, const struct cli_args *args)
{
	const char *age = cli_arg(args, "--max-age");
	_cleanup_(mem_freep) char *path = cache_path();
	uint64_t age_ms = SCAN_CACHE_AGE_S * 1000ULL;
	struct fault fault;

	if (age && (fmt_parse_duration_ms(span_of(age), &age_ms) < 0 || age_ms > SCAN_CACHE_AGE_S * 1000ULL))
		return cli_usage(t->cli, "--max-age is a duration of at most 24h, not \"%s\"",
			"--max-age ist eine Dauer von höchstens 24h, nicht \"%s\"", age);
	if (age && cli_arg(args, "--fresh"))
		return cli_usage(t->cli, "--fresh or --max-age, not both", "--fresh oder --max-age, nicht beides");
	t->scan.age_own = age != NULL;
	t->scan.age_max_s = cli_arg(args, "--fresh") ? 0 : (int64_t)(age_ms / 1000);
	t->scan.cache = scan_cache_new(path, t->now_s, &fault);
	if (fault.code != FAULT_NONE)
		cli_fault(t->cli, &fault);
	return CLI_DONE;
}

void tls_scan_close_cache(struct tls_scan *t)
{
	struct fault fault;

	if (scan_cache_save(t->scan.cache, clock_wall_s(), &fault) < 0)
		cli_fault(t->cli, &fault);
	t->scan.cache = scan_cache_free(t->scan.cache);
}

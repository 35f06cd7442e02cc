/*
 * torhaus init: from nothing to something that can be started.
 *
 * Makes what is missing and touches nothing that is there: settings with every key and its
 * explanation, an empty store, a self-signed RSA and an ECDSA pair (so that TLS works before the
 * first real certificate), the given domains. Run a second time it does no harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain.h"
#include "store/store.h"
#include "tls/tls.h"

#define NAMES_MAX 64
#define DAYS      365

struct places {
	char *conf, *store, *certs, *control, *access;
	bool own_folder; /* --dir: everything in one place, for whoever calls */
};

static int failed(struct cli *cli, const char *path, int error)
{
	fprintf(cli->err, "torhaus init: %s: %s\n", path, strerror(error));
	return CLI_FOUND;
}

static void made(struct cli *cli, const char *path)
{
	fprintf(cli->out, "%s %s\n", cli_say(cli, "made", "angelegt"), path);
}

static void kept(struct cli *cli, const char *path)
{
	fprintf(cli->out, "%s %s\n", cli_say(cli, "kept", "behalten"), path);
}

/* With its parents, as mkdir -p. */
static int make_folder(struct cli *cli, const char *path, mode_t mode)
{
	_cleanup_(mem_freep) char *part = mem_text(path);

	for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return failed(cli, part, errno);
		*at = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return failed(cli, path, errno);
	return CLI_DONE;
}

static int make_folder_of(struct cli *cli, const char *file)
{
	_cleanup_(mem_freep) char *folder = mem_text(file);
	char *end = strrchr(folder, '/');

	if (!end || end == folder)
		return CLI_DONE;
	*end = '\0';
	return make_folder(cli, folder, 0755);
}

/* A new file; one that is there stays. */
static int make_file(struct cli *cli, const char *path, mode_t mode, struct span bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ssize_t n;

	if (fd < 0 && errno == EEXIST) {
		kept(cli, path);
		return CLI_DONE;
	}
	if (fd < 0)
		return failed(cli, path, errno);
	n = write(fd, bytes.p, bytes.n);
	if (n != (ssize_t)bytes.n) {
		int error = n < 0 ? errno : ENOSPC;

		close(fd);
		unlink(path);
		return failed(cli, path, error);
	}
	close(fd);
	made(cli, path);
	return CLI_DONE;
}

/* ---- settings ---- */

static char *quoted(const char *text, bool list)
{
	struct buf out = BUF_INIT(4096);

	buf_add_text(&out, list ? "{" : "");
	conf_quote(&out, span_of(text));
	buf_add_text(&out, list ? "}" : "");
	return buf_take(&out);
}

/* low: of a server that may bind ports 80 and 443. */
static void settings_text(const struct places *p, bool low, enum fault_lang lang, struct buf *out)
{
	_cleanup_(mem_freep) char *store = store_url_of_file(p->store);
	_cleanup_(mem_freep) char *store_value = quoted(store, false);
	_cleanup_(mem_freep) char *certs_value = quoted(p->certs, true);
	_cleanup_(mem_freep) char *control_value = quoted(p->control, false);
	_cleanup_(mem_freep) char *access_value = quoted(p->access, false);
	struct conf_given given[] = {
		{ "store", store_value },
		{ "certificates", certs_value },
		{ "control", control_value },
		{ "log.access_to", access_value },
		{ "user", p->own_folder ? "\"\"" : "\"torhaus\"" },
		{ "web.listen", low ? "{\"0.0.0.0:80\", \"[::]:80\"}" : "{\"0.0.0.0:8080\", \"[::]:8080\"}" },
		{ "web.listen_tls", low ? "{\"0.0.0.0:443\", \"[::]:443\"}" : "{\"0.0.0.0:8443\", \"[::]:8443\"}" },
		{ NULL, NULL },
	};

	conf_template(out, settings_keys, given, lang);
}

static int make_settings(struct cli *cli, const struct places *p)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);

	settings_text(p, geteuid() == 0 && !p->own_folder, cli->lang, &text);
	return make_file(cli, p->conf, 0644, buf_span(&text));
}

/* ---- store ---- */

/* The server's user has to write there. */
static void give_to_user(const struct settings *s, const char *path)
{
	struct passwd *pw = s->user.n > 0 && geteuid() == 0 ? getpwnam(s->user.p) : NULL;

	if (pw && chown(path, pw->pw_uid, pw->pw_gid) < 0)
		return;
}

static int make_store(struct cli *cli, const struct settings *s)
{
	const char *path = store_url_file(s->store).p;
	_cleanup_(mem_freep) char *folder = mem_text(path);
	struct store *store = NULL;
	struct fault fault;
	int r;

	if (access(path, F_OK) == 0) {
		kept(cli, path);
		return CLI_DONE;
	}
	r = make_folder_of(cli, path);
	if (r != CLI_DONE)
		return r;
	*strrchr(folder, '/') = '\0';
	give_to_user(s, folder);
	if (store_open(s->store.p, true, &store, &fault) < 0) {
		cli_fault(cli, &fault);
		return CLI_FOUND;
	}
	store_close(store);
	made(cli, path);
	return CLI_DONE;
}

/* ---- certificates ---- */

static bool is_used(const struct settings *s)
{
	struct tls_files *files = tls_files_read(s->certificates.v, s->certificates.n);
	bool used = files->n > 0;

	tls_files_free(files);
	return used;
}

static int make_pair(struct cli *cli, const char *folder, enum tls_key_type type, const struct span *names, unsigned n)
{
	const char *kind = type == TLS_KEY_RSA ? "rsa" : "ecdsa";
	_cleanup_(mem_freep) char *cert_path = mem_textf("%s/self-signed-%s.crt", folder, kind);
	_cleanup_(mem_freep) char *key_path = mem_textf("%s/self-signed-%s.key", folder, kind);
	_cleanup_(buf_done) struct buf cert = BUF_INIT(1 << 16);
	_cleanup_(buf_done) struct buf key = BUF_INIT(1 << 16);
	int r = tls_self_signed(type, names, n, DAYS, &cert, &key);

	if (r < 0)
		return failed(cli, cert_path, -r);
	r = make_file(cli, key_path, 0600, buf_span(&key));
	return r == CLI_DONE ? make_file(cli, cert_path, 0644, buf_span(&cert)) : r;
}

/* NAME and www.NAME of each --domain; without any, this machine's name. */
static unsigned collect_names(const struct cli_args *args, struct arena *a, struct span *ret)
{
	char host[256] = "localhost";
	unsigned n = 0;

	for (unsigned i = 0; i < args->n && n + 2 <= NAMES_MAX; i++) {
		struct span rest = span_of(args->v[i].value), name;

		if (strcmp(args->v[i].option->name, "--domain") != 0)
			continue;
		span_cut(&rest, '=', &name);
		ret[n++] = name;
		ret[n++] = arena_spanf(a, "www.%.*s", SPAN_ARG(name));
	}
	if (n > 0)
		return n;
	gethostname(host, sizeof(host) - 1);
	ret[n++] = arena_span(a, span_of(host));
	return n;
}

static int make_certs(struct cli *cli, const struct settings *s, const struct cli_args *args)
{
	struct span names[NAMES_MAX];
	struct arena a;
	unsigned n;
	int r;

	if (s->certificates.n == 0)
		return CLI_DONE;
	r = make_folder(cli, s->certificates.v[0].p, 0700);
	if (r != CLI_DONE)
		return r;
	if (is_used(s)) {
		kept(cli, s->certificates.v[0].p);
		return CLI_DONE;
	}
	arena_init(&a, 4096);
	n = collect_names(args, &a, names);
	r = make_pair(cli, s->certificates.v[0].p, TLS_KEY_RSA, names, n);
	if (r == CLI_DONE)
		r = make_pair(cli, s->certificates.v[0].p, TLS_KEY_ECDSA, names, n);
	arena_done(&a);
	return r;
}

/* ---- domains ---- */

static int add_domain(struct cli *cli, const char *given)
{
	_cleanup_(mem_freep) char *name = mem_text(given);
	char *origin = strchr(name, '=');
	const struct cli_verb *init = cli->verb;
	int r;

	*origin++ = '\0';
	for (cli->verb = cli_domain_verbs(); strcmp(cli->verb->name, "domain add") != 0;)
		cli->verb++;
	r = cli->verb->run(cli, 3, (char *[]){ name, "--origin", origin, NULL });
	cli->verb = init;
	return r;
}

static int add_domains(struct cli *cli, const struct cli_args *args)
{
	int status = CLI_DONE;

	for (unsigned i = 0; i < args->n; i++) {
		int r = CLI_DONE;

		if (strcmp(args->v[i].option->name, "--domain") == 0)
			r = add_domain(cli, args->v[i].value);
		if (r != CLI_DONE)
			status = r;
	}
	return status;
}

/* ---- all of it ---- */

static void find_places(const struct cli *cli, const char *dir, struct places *ret)
{
	_cleanup_(mem_freep) char *here = NULL;

	*ret = (struct places){ .own_folder = dir != NULL };
	if (!dir) {
		ret->conf = mem_text(cli->config);
		ret->store = mem_text("/var/lib/torhaus/torhaus.db");
		ret->certs = mem_text("/etc/torhaus/certs");
		ret->control = mem_text("/run/torhaus/control.sock");
		ret->access = mem_text("/var/log/torhaus/access.log");
		return;
	}
	/* Settings hold absolute paths. */
	here = dir[0] == '/' ? NULL : getcwd(NULL, 0);
	ret->conf = mem_textf("%s%s%s/torhaus.conf", here ? here : "", here ? "/" : "", dir);
	ret->store = mem_textf("%s%s%s/torhaus.db", here ? here : "", here ? "/" : "", dir);
	ret->certs = mem_textf("%s%s%s/certs", here ? here : "", here ? "/" : "", dir);
	ret->control = mem_textf("%s%s%s/control.sock", here ? here : "", here ? "/" : "", dir);
	ret->access = mem_textf("%s%s%s/access.log", here ? here : "", here ? "/" : "", dir);
}

static void places_done(struct places *p)
{
	mem_free(p->conf);
	mem_free(p->store);
	mem_free(p->certs);
	mem_free(p->control);
	mem_free(p->access);
}

/* As a package ships it, whoever makes the package. */
static int print_settings(struct cli *cli, const struct places *p)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 20);

	settings_text(p, !p->own_folder, cli->lang, &text);
	fwrite(text.p, 1, text.n, cli->out);
	return CLI_DONE;
}

static void tell_next(struct cli *cli, const struct cli_args *args)
{
	fprintf(cli->out,
		cli_say(cli, "\nWhat to do next:\n  look through %s\n", "\nWas jetzt zu tun ist:\n  %s durchsehen\n"),
		cli->config);
	if (!cli_arg(args, "--domain"))
		fprintf(cli->out, "  torhaus --config %s domain add example.de --origin http://10.0.0.5:8080\n",
			cli->config);
	fprintf(cli->out, "  torhaus --config %s check\n", cli->config);
	fprintf(cli->out, "  torhaus --config %s serve%s\n", cli->config,
		cli_arg(args, "--dir") ? ""
				       : cli_say(cli, "     (or: systemctl enable --now torhaus)",
						 "     (oder: systemctl enable --now torhaus)"));
}

static int init_at(struct cli *cli, const struct places *p, const struct cli_args *args)
{
	struct settings *s = NULL;
	int r = make_folder_of(cli, p->conf);

	if (r == CLI_DONE)
		r = make_settings(cli, p);
	cli->config = p->conf;
	if (r == CLI_DONE) {
		s = cli_settings(cli);
		r = s ? CLI_DONE : CLI_SETTINGS;
	}
	if (r == CLI_DONE)
		r = make_store(cli, s);
	if (r == CLI_DONE)
		r = make_certs(cli, s, args);
	settings_unref(s);
	if (r == CLI_DONE)
		r = add_domains(cli, args);
	if (r == CLI_DONE)
		tell_next(cli, args);
	return r;
}

int cli_init(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct places p;
	int r;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	for (unsigned i = 0; i < args.n; i++)
		if (strcmp(args.v[i].option->name, "--domain") == 0 && !strchr(args.v[i].value, '='))
			return cli_usage(cli, "--domain is NAME=ORIGIN, not \"%s\"",
				"--domain ist NAME=URSPRUNG, nicht \"%s\"", args.v[i].value);
	find_places(cli, cli_arg(&args, "--dir"), &p);
	r = cli_arg(&args, "--print") ? print_settings(cli, &p) : init_at(cli, &p, &args);
	places_done(&p);
	return r;
}

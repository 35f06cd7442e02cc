/*
 * torhaus cert list, cert check
 *
 * list shows what a running server has in service, else what would be. check builds a set from the
 * folders as the server would, tells every fault, and compares with what is served.
 */
#include "cli/cert.h"
#include <string.h>
#include "base/clock.h"
#include "domain/domain.h"
#include "tls/tls.h"

#define DAY_S 86400

static struct tls_set *set_on_disk(const struct settings *s, tls_fault_fn *on_fault, void *arg)
{
	static const struct tls_set_settings settings = { .session_lifetime_s = 3600 };
	struct tls_files *files = tls_files_read(s->certificates.v, s->certificates.n);
	struct tls_set *set = tls_set_build(files, &settings, NULL, on_fault, arg);

	tls_files_free(files);
	return set;
}

static void ignore(void *arg, const struct fault *fault)
{
	(void)arg;
	(void)fault;
}

static void hex_of(const uint8_t bytes[32], char ret[65])
{
	for (unsigned i = 0; i < 32; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

/* ---- compared ---- */

static bool is_served(json_t *pairs, const char *sha256)
{
	json_t *pair;
	size_t i;

	json_array_foreach(pairs, i, pair)
	{
		const char *other = json_string_value(json_object_get(pair, "sha256"));

		if (other && strcmp(other, sha256) == 0)
			return true;
	}
	return false;
}

static void compare(struct cli *cli, struct findings *f, const struct tls_set *disk, json_t *pairs)
{
	for (unsigned i = 0; i < tls_set_count(disk); i++) {
		const struct tls_pair *p = tls_set_pair(disk, i);
		struct fault fault;
		char sha256[65];

		hex_of(p->fingerprint, sha256);
		if (is_served(pairs, sha256))
			continue;
		fault_set(&fault, FAULT_CERT_NOT_SERVED);
		fault_fact(&fault, "name", "%.*s", p->names_n ? (int)p->names[0].n : 0,
			p->names_n ? p->names[0].p : "");
		fault_fact(&fault, "type", "%s", tls_key_type_text(p->type));
		fault_fact(&fault, "file", "%s", p->cert_path);
		fault_fact(&fault, "error", "%s",
			cli_say(cli, "the running server has another one", "der laufende Server hat ein anderes"));
		findings_add(f, &fault);
	}
}

/* The server's own certificates and what it says of them; NULL: none is running. */
static json_t *ask_certs(const struct settings *s)
{
	unsigned http;
	int error;

	return cli_ask(s, "GET", "/certs", NULL, &http, &error);
}

static json_t *pairs_of(json_t *certs)
{
	return json_object_get(json_object_get(certs, "certificates"), "pairs");
}

void cert_compare_served(struct cli *cli, struct findings *f, const struct settings *s)
{
	json_t *certs = ask_certs(s);
	struct tls_set *disk;

	if (!certs)
		return;
	disk = set_on_disk(s, ignore, NULL);
	compare(cli, f, disk, pairs_of(certs));
	tls_set_unref(disk);
	json_decref(certs);
}

int cli_cert_check(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct snapshot *domains;
	struct findings f;
	struct settings *s;
	json_t *certs, *fault;
	size_t i;

	if (cli_args_parse(cli, argc, argv, ARGS_MAX, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n > 0)
		return cert_check_server(cli, &args);
	if (args.n > 0)
		return cli_usage(cli, "%s is for another server: name it as HOST:PORT",
			"%s gilt einem anderen Server: ihn als HOST:PORT nennen", args.v[0].option->name);
	s = cli_settings(cli);
	if (!s)
		return CLI_SETTINGS;
	findings_init(&f);
	domains = findings_read_store(&f, s->store.p);
	findings_certificates(&f, s, domains);
	snapshot_unref(domains);
	certs = ask_certs(s);
	json_array_foreach(json_object_get(certs, "faults"), i, fault)
	{
		findings_add_json(&f, fault);
	}
	json_decref(certs);
	cert_compare_served(cli, &f, s);
	settings_unref(s);
	return cli_findings_end(cli, &f, "torhaus.cert-check/1");
}

/* ---- list ---- */

static json_t *pair_json(const struct tls_pair *p)
{
	json_t *names = json_array();
	char sha256[65];

	for (unsigned i = 0; i < p->names_n; i++)
		json_array_append_new(names, json_stringn(p->names[i].p, p->names[i].n));
	hex_of(p->fingerprint, sha256);
	return json_pack("{s:s s:s? s:o s:s s:i s:I s:I s:s s:s? s:b s:b s:b}", "certificate", p->cert_path, "key",
		p->key_path, "names", names, "type", tls_key_type_text(p->type), "bits", (int)p->bits, "not_before",
		(json_int_t)p->not_before, "not_after", (json_int_t)p->not_after, "sha256", sha256, "issuer", p->issuer,
		"self_signed", (int)p->self_signed, "staple", (int)p->has_staple, "kept", (int)p->kept);
}

static json_t *pairs_on_disk(const struct settings *s)
{
	struct tls_set *set = set_on_disk(s, ignore, NULL);
	json_t *pairs = json_array();

	for (unsigned i = 0; i < tls_set_count(set); i++)
		json_array_append_new(pairs, pair_json(tls_set_pair(set, i)));
	tls_set_unref(set);
	return pairs;
}

static void print_pair(struct cli *cli, json_t *pair)
{
	const char *file = "", *type = "";
	json_int_t not_after = 0, bits = 0;
	int self_signed = 0, kept = 0;
	json_t *names = NULL, *name;
	char until[32];
	size_t i;

	json_unpack(pair, "{s:s s:s s:I s:I s:b s:b s:o}", "certificate", &file, "type", &type, "bits", &bits,
		"not_after", &not_after, "self_signed", &self_signed, "kept", &kept, "names", &names);
	clock_minute(not_after, until);
	fprintf(cli->out, "%-7s %5lld  %s (%lld %s)  ", type, (long long)bits, until,
		(long long)((not_after - clock_wall_s()) / DAY_S), cli_say(cli, "days", "Tage"));
	json_array_foreach(names, i, name)
	{
		if (i < 4)
			fprintf(cli->out, "%s%s", i ? ", " : "", json_string_value(name));
	}
	if (json_array_size(names) > 4)
		fprintf(cli->out, ", … (%zu)", json_array_size(names));
	fprintf(cli->out, "%s%s\n        %s\n", self_signed ? cli_say(cli, "  self-signed", "  selbstsigniert") : "",
		kept ? cli_say(cli, "  kept: its file is faulty now", "  behalten: seine Datei ist jetzt fehlerhaft")
		     : "",
		file);
}

static void print_list(struct cli *cli, json_t *pairs, json_t *faults, bool running)
{
	json_t *one;
	size_t i;

	fprintf(cli->out, "%s\n",
		running ? cli_say(cli, "In service:", "Im Dienst:")
			: cli_say(cli, "On disk (no server runs):", "Auf der Platte (kein Server läuft):"));
	json_array_foreach(pairs, i, one)
	{
		print_pair(cli, one);
	}
	json_array_foreach(faults, i, one)
	{
		cli_fault_json(cli, cli->out, one);
	}
}

/* What the server says is wrong (NULL: none runs), and the names that none of the pairs has. */
static json_t *list_faults(const struct settings *s, json_t *pairs, json_t *of_server)
{
	struct findings f;
	struct snapshot *domains;
	json_t *fault, *faults;
	size_t i;

	findings_init(&f);
	json_array_foreach(of_server, i, fault)
	{
		findings_add_json(&f, fault);
	}
	domains = findings_read_store(&f, s->store.p);
	findings_served_names(&f, s, domains, pairs);
	snapshot_unref(domains);
	faults = json_incref(f.faults);
	findings_done(&f);
	return faults;
}

int cli_cert_list(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct settings *s;
	json_t *certs, *pairs, *faults;
	bool running;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	s = cli_settings(cli);
	if (!s)
		return CLI_SETTINGS;
	certs = ask_certs(s);
	running = certs != NULL;
	pairs = running ? json_incref(pairs_of(certs)) : pairs_on_disk(s);
	faults = list_faults(s, pairs, running ? json_object_get(certs, "faults") : NULL);
	json_decref(certs);
	settings_unref(s);
	if (cli->json) {
		cli_print_json(cli,
			json_pack("{s:s s:b s:o s:o}", "schema", "torhaus.cert-list/1", "in_service", (int)running,
				"pairs", pairs, "faults", faults));
		return CLI_DONE;
	}
	print_list(cli, pairs, faults, running);
	json_decref(pairs);
	json_decref(faults);
	return CLI_DONE;
}

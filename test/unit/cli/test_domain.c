/*
 * torhaus domain, called as the program calls it: arguments in, text and status out. What the
 * frame of the command line gives to a verb (settings, printing of faults and usage) is
 * replaced here by the least that serves.
 */
#include "../unit.h"
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/domain.h"

static char folder[64], file[96];
static struct cli cli;
static char *out_text, *err_text;
static size_t out_n, err_n;
static struct settings settings;

struct settings *cli_settings(struct cli *c)
{
	return settings.store.n ? &settings : NULL;
}

struct settings *settings_unref(struct settings *s)
{
	return NULL;
}

void cli_fault(struct cli *c, const struct fault *f)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	fault_cause(f, c->lang, &text);
	buf_add_text(&text, " ");
	fault_remedy(f, c->lang, &text);
	fprintf(c->err, "%s: %s\n", fault_code_text(f->code), buf_text(&text));
}

int cli_usage(struct cli *c, const char *en, const char *de, ...)
{
	va_list ap;

	va_start(ap, de);
	vfprintf(c->err, en, ap);
	va_end(ap);
	fputc('\n', c->err);
	return CLI_USAGE;
}

/* The arguments after "torhaus domain", or "recipient" and those after that, separated by blanks;
 * the status. */
static int run(const char *line)
{
	char words[1024], name[64], *argv[32], **arg = argv, *rest = NULL;
	int argc = 0;

	free(out_text);
	free(err_text);
	cli.out = open_memstream(&out_text, &out_n);
	cli.err = open_memstream(&err_text, &err_n);
	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = strcmp(word, "''") == 0 ? (char *)"" : word;
	argv[argc] = NULL;
	if (strcmp(argv[0], "recipient") == 0)
		snprintf(name, sizeof(name), "recipient %s", (argc--, *++arg));
	else
		snprintf(name, sizeof(name), "domain %s", arg[0]);
	for (const struct cli_verb *verb = cli_domain_verbs(); verb->name; verb++) {
		int status;

		if (strcmp(verb->name, name) != 0)
			continue;
		cli.verb = verb;
		status = verb->run(&cli, argc - 1, arg + 1);
		fclose(cli.out);
		fclose(cli.err);
		return status;
	}
	fail_msg("no verb %s", name);
	return -1;
}

/* Status, output and a part of what stands on stderr ("": nothing stands there). */
static void expect_at(int line, const char *command, int status, const char *out, const char *err)
{
	int got = run(command);

	if (got != status || (out && strcmp(out_text, out) != 0) || !strstr(err_text, err) || (!*err && *err_text)) {
		print_error("%s: status %d\n%s---\n%s", command, got, out_text, err_text);
		_fail(__FILE__, line);
	}
}
#define expect(command, status, out, err) expect_at(__LINE__, command, status, out, err)

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	static char url[96];
	struct store *s;
	struct fault fault;

	snprintf(folder, sizeof(folder), "/tmp/torhaus-cli-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/file", folder);
	snprintf(url, sizeof(url), "sqlite:%s/torhaus.db", folder);
	settings.store = span_of(url);
	cli = (struct cli){ .program = "torhaus" };
	setenv("SUDO_USER", "ada", 1);
	if (store_open(url, true, &s, &fault) < 0)
		return -1;
	store_close(s);
	return 0;
}

static int remove_entry(const char *entry, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(entry);
}

static int teardown(void **state)
{
	free(out_text);
	free(err_text);
	out_text = err_text = NULL;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_add_set_remove(void **state)
{
	expect("add Example.de --origin http://10.0.0.5:80 --preset=wordpress", CLI_DONE,
		"+ domain example.de\n"
		"    + web    = {\"example.de\", \"www.example.de\"}\n"
		"    + origin = {\"http://10.0.0.5\"}\n"
		"    + preset = \"wordpress\"\n",
		"web names: example.de, www.example.de (--web NAME chooses others)\n");
	expect("set example.de --web example.de --web *.example.de --grace 48h --redirect-to-tls yes", CLI_DONE,
		"~ domain example.de\n"
		"    - web    = {\"example.de\", \"www.example.de\"}\n"
		"    + web    = {\"example.de\", \"*.example.de\"}\n"
		"    + grace  = \"2d\"\n"
		"    + redirect_to_tls = true\n",
		"");
	expect("set example.de --preset standard --grace 24h", CLI_DONE, NULL, "");
	expect("export", CLI_DONE,
		"domain \"example.de\" {\n"
		"  web    = {\"example.de\", \"*.example.de\"}\n"
		"  origin = {\"http://10.0.0.5\"}\n"
		"  redirect_to_tls = true\n"
		"}\n",
		"");
	expect("remove example.de", CLI_DONE, NULL, "");
	expect("export", CLI_DONE, "", "");
}

static void test_web_names_of_add(void **state)
{
	expect("add a.de --web shop.a.de --origin http://o", CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text, "web    = {\"shop.a.de\"}\n"));
	expect("add www.b.de --origin http://o", CLI_DONE, NULL, "web names: www.b.de (");
	expect("add localhost --origin http://o", CLI_DONE, NULL, "web names: localhost (");
	expect("add 192.0.2.1 --origin http://o", CLI_DONE, NULL, "web names: 192.0.2.1 (");
	/* None at all, on purpose. */
	expect("add c.de --web ''", CLI_DONE, "+ domain c.de\n", "");
}

static void test_negative_findings(void **state)
{
	run("add example.de --origin http://o");
	expect("add example.de --origin http://o", CLI_FOUND, "", "DOMAIN-EXISTS");
	expect("add b.de --web www.example.de --origin http://o", CLI_FOUND, "", "belongs to the domain example.de");
	expect("show exmaple.de", CLI_FOUND, "", "Did you mean example.de?");
	expect("set exmaple.de --grace 1h", CLI_FOUND, "", "Did you mean example.de?");
	expect("remove quite-different.org", CLI_FOUND, "", "`torhaus domain list` shows");
	expect("export b.de", CLI_FOUND, "", "DOMAIN-UNKNOWN");
	cli.lang = FAULT_DE;
	expect("show exmaple.de", CLI_FOUND, "", "Ist example.de gemeint?");
}

static void test_wrong_usage(void **state)
{
	expect("add", CLI_USAGE, "", "the name of the domain is missing");
	expect("add a.de b.de", CLI_USAGE, "", "one domain at a time");
	expect("add a.de --orign http://o", CLI_USAGE, "", "there is no option --orign; did you mean --origin?");
	expect("add a.de --entirely-else", CLI_USAGE, "", "there is no option --entirely-else\n");
	expect("add a.de --origin", CLI_USAGE, "", "--origin needs a value");
	expect("add a.de --grace 1h --grace 2h", CLI_USAGE, "", "--grace stands too often");
	expect("add a.de", CLI_USAGE, "", "DOMAIN-NO-ORIGIN");
	expect("add http://a.de --origin http://o", CLI_USAGE, "", "DOMAIN-BAD-NAME");
	expect("add a.de --origin ftp://o --grace soon", CLI_USAGE, "", "--grace \"soon\" does not fit");
	assert_non_null(strstr(err_text, "--origin \"ftp://o\" does not fit"));
	expect("list all", CLI_USAGE, "", "nothing may follow");
	expect("show", CLI_USAGE, "", "one domain");
	expect("apply", CLI_USAGE, "", "the file is missing");
	expect("apply x --dryrun", CLI_USAGE, "", "did you mean --dry-run?");
	expect("export", CLI_DONE, "", "");
}

static void test_list_and_show(void **state)
{
	expect("list", CLI_DONE, "", "");
	run("add b.de --web b.de --origin http://10.0.0.5 --origin http://10.0.0.6");
	run("add a.de --origin https://o.a.de --preset off");
	expect("list", CLI_DONE,
		"DOMAIN  WEB      ORIGIN              PRESET\n"
		"a.de    a.de +1  https://o.a.de      off\n"
		"b.de    b.de     http://10.0.0.5 +1  standard\n",
		"");
	expect("show B.de", CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text, "domain \"b.de\" {\n  web    = {\"b.de\"}\n"));
	assert_non_null(strstr(out_text, "}\n# changed 2"));
	assert_non_null(strstr(out_text, ", ada\n"));
}

static void test_mail_without_web(void **state)
{
	expect("add a.de --mail 10.0.0.6 --tls require", CLI_DONE,
		"+ domain a.de\n    + mail   = \"10.0.0.6:25\"\n    + tls    = \"require\"\n", "");
	run("add b.de --origin http://o");
	expect("list", CLI_DONE,
		"DOMAIN  WEB      ORIGIN    PRESET    MAIL\n"
		"a.de    -        -         standard  10.0.0.6:25 tls=require\n"
		"b.de    b.de +1  http://o  standard  -\n",
		"");
	expect("set a.de --mail= --tls=off", CLI_DONE,
		"~ domain a.de\n    - mail   = \"10.0.0.6:25\"\n    - tls    = \"require\"\n", "");
}

/* "2026-11-25" */
static const char *today(void)
{
	static char text[16];
	time_t now = time(NULL);

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime(&now));
	return text;
}

static void test_recipients(void **state)
{
	char lines[512], command[160];

	run("add a.de --mail 10.0.0.6 --tls require");
	expect("recipient list", CLI_DONE, "", "");
	expect("recipient set List@A.de --tls off --until 2024-01-05", CLI_USAGE, "",
		"--until 2024-01-05 is over already");
	/* One that was given in time and has run out since. */
	snprintf(lines, sizeof(lines),
		"domain a.de {\nmail = 10.0.0.6\ntls = require\n"
		"recipient = {\"list@a.de off by=ada at=%s until=2024-01-05\"}\n}\n",
		today());
	write_file(lines);
	snprintf(lines, sizeof(lines),
		"~ domain a.de\n    + recipient = {\"list@a.de off by=ada at=%s until=2024-01-05\"}\n", today());
	snprintf(command, sizeof(command), "apply %s", file);
	expect(command, CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text, lines));
	setenv("SUDO_USER", "somebody with a name that is longer than it should be", 1);
	expect("recipient set anna@a.de --tls=report --until=9999-12-31", CLI_DONE, NULL, "");
	expect("recipient set zoe@a.de --tls require", CLI_DONE, NULL, "");
	snprintf(lines, sizeof(lines),
		"RECIPIENT  TLS      SINCE       UNTIL       BY\n"
		"anna@a.de  report   %s  9999-12-31  somebody-with-a-name-that-is-lon\n"
		"list@a.de  off      %s  2024-01-05  ada  (over)\n"
		"zoe@a.de   require  %s  -           somebody-with-a-name-that-is-lon\n",
		today(), today(), today());
	expect("recipient list", CLI_DONE, lines, "");
	/* Set again: who did it last. */
	setenv("SUDO_USER", "eve", 1);
	expect("recipient set zoe@a.de --tls require", CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text, "zoe@a.de require by=eve"));
	expect("recipient remove ANNA@a.de", CLI_DONE, NULL, "");
	expect("recipient remove anna@a.de", CLI_FOUND, "",
		"RECIPIENT-UNKNOWN: anna@a.de has no encryption of its own");
	/* Other changes of the domain keep them. */
	expect("set a.de --tls off", CLI_DONE, "~ domain a.de\n    - tls    = \"require\"\n", "");
	cli.json = true;
	snprintf(lines, sizeof(lines),
		"{\"schema\":\"torhaus.recipient-list/1\",\"recipients\":["
		"{\"address\":\"list@a.de\",\"tls\":\"off\",\"domain_tls\":\"off\",\"by\":\"ada\",\"at\":\"%s\",\"until\":\"2024-01-05\",\"holds\":false},"
		"{\"address\":\"zoe@a.de\",\"tls\":\"require\",\"domain_tls\":\"off\",\"by\":\"eve\",\"at\":\"%s\",\"until\":null,\"holds\":true}]}\n",
		today(), today());
	expect("recipient list a.de", CLI_DONE, lines, "");
}

static void test_recipients_that_are_none(void **state)
{
	run("add a.de --mail 10.0.0.6");
	expect("recipient set anna@a.de", CLI_USAGE, "", "--tls off, --tls report or --tls require");
	expect("recipient set anna@a.de --tls always", CLI_USAGE, "", "--tls off, --tls report or --tls require");
	expect("recipient set anna@a.de --tls off --until soon", CLI_USAGE, "", "no day of the form");
	expect("recipient set --tls off", CLI_USAGE, "", "the address of one recipient");
	expect("recipient set anna --tls off", CLI_USAGE, "", "the @ is missing");
	expect("recipient set \"a\"@a.de --tls off", CLI_USAGE, "", "no quotes");
	expect("recipient set anna@b.de --tls off", CLI_FOUND, "", "DOMAIN-UNKNOWN");
	expect("recipient remove", CLI_USAGE, "", "the address of one recipient");
	expect("recipient list b.de", CLI_FOUND, "", "DOMAIN-UNKNOWN");
	expect("recipient list b.de c.de", CLI_USAGE, "", "one word too many");
}

static void test_json(void **state)
{
	cli.json = true;
	expect("add a.de --origin http://o", CLI_DONE,
		"{\"schema\":\"torhaus.domain-add/1\",\"dry_run\":false,\"changes\":[{\"change\":\"added\",\"domain\":\"a.de\",\"before\":\"\","
		"\"after\":\"web    = {\\\"a.de\\\", \\\"www.a.de\\\"}\\norigin = {\\\"http://o\\\"}\\n\"}]}\n",
		"");
	expect("list", CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text,
		"{\"schema\":\"torhaus.domain-list/1\",\"domains\":[{\"name\":\"a.de\",\"web\":[\"a.de\",\"www.a.de\"],"
		"\"origin\":[\"http://o\"],\"preset\":\"standard\",\"grace_ms\":86400000,\"grace_forced\":false,"));
	assert_non_null(strstr(out_text,
		"\"body_max\":104857600,\"mail\":\"\",\"tls\":\"off\",\"mail_tls\":\"opportunistic\",\"mail_client\":\"none\","
		"\"mail_lines\":\"strict\",\"recipient\":[],\"changed_at\":\"2"));
	assert_non_null(strstr(out_text, "\"changed_by\":\"ada\"}],\"left_out\":0}\n"));
	expect("show a.de", CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text, "{\"schema\":\"torhaus.domain-show/1\",\"domain\":{\"name\":\"a.de\","));
}

static void test_apply_and_import(void **state)
{
	char command[160];

	run("add old.de --origin http://o");
	write_file("domain a.de { web = a.de origin = http://o }\n");
	snprintf(command, sizeof(command), "apply %s --dry-run", file);
	expect(command, CLI_DONE,
		"+ domain a.de\n    + web    = {\"a.de\"}\n    + origin = {\"http://o\"}\n"
		"- domain old.de\n    - web    = {\"old.de\", \"www.old.de\"}\n    - origin = {\"http://o\"}\n"
		"1 added, 0 changed, 1 removed (dry run: nothing was written)\n",
		"");
	snprintf(command, sizeof(command), "apply %s", file);
	expect(command, CLI_FOUND, NULL, "DOMAIN-APPLY-REMOVES");
	snprintf(command, sizeof(command), "apply %s --remove", file);
	expect(command, CLI_DONE, NULL, "");
	expect(command, CLI_DONE, "0 added, 0 changed, 0 removed\n", "");
	write_file("domain a.de { wep = a.de }\ndomain b.de { web = b.de }\n");
	expect(command, CLI_SETTINGS, "", ":1: there is no setting \"domain.wep\"");
	assert_non_null(strstr(err_text, ":2: b.de has web names but no origin"));

	write_file("b.de 10.0.0.1\nwww.b.de 10.0.0.1\n");
	snprintf(command, sizeof(command), "import %s", file);
	expect(command, CLI_DONE, NULL, "");
	assert_non_null(strstr(out_text, "+ domain b.de\n    + web    = {\"b.de\", \"www.b.de\"}\n"));
	write_file("b.de 10.0.0.1\nb.de 10.0.0.2\nc.de\n");
	expect(command, CLI_SETTINGS, "", ":2: b.de stands here a second time");
	assert_non_null(strstr(err_text, ":3: \"c.de\" is no \"name address\""));
	expect("import /nowhere/at/all", CLI_SETTINGS, "", "DOMAIN-FILE-UNREADABLE");
}

static void test_rows_that_do_not_parse(void **state)
{
	struct store *s;
	struct fault fault;

	run("add a.de --origin http://o");
	assert_int_equal(store_open(settings.store.p, false, &s, &fault), 0);
	store_domain_put(s, &(struct store_domain){ .name = SPAN("bad.de"), .text = SPAN("wep = x\n") }, &fault);
	store_close(s);
	expect("export", CLI_PARTLY,
		"domain \"a.de\" {\n  web    = {\"a.de\", \"www.a.de\"}\n  origin = {\"http://o\"}\n}\n",
		"STORE-BAD-ROW");
	expect("list", CLI_PARTLY, NULL, "STORE-BAD-ROW");
	expect("show bad.de", CLI_FOUND, "wep = x\n", "STORE-BAD-ROW");
	expect("set bad.de --grace 1h", CLI_FOUND, "", "STORE-BAD-ROW");
	expect("remove bad.de", CLI_DONE, "- domain bad.de\n    - wep = x\n", "");
}

static void test_no_store(void **state)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/torhaus.db", folder);
	remove(path);
	expect("list", CLI_UNREACHABLE, "", "STORE-MISSING");
	settings.store.n = 0;
	expect("list", CLI_SETTINGS, "", "");
}

static void test_an_option_for_every_key(void **state)
{
	const struct cli_option *o = cli_domain_verbs()->options;

	assert_string_equal(o[0].name, "--web");
	assert_true(o[0].repeat);
	for (const struct conf_key *key = domain_keys; key->name; key++, o++) {
		assert_string_equal(o->help_en, key->help_en);
		assert_string_equal(o->help_de, key->help_de);
	}
	assert_null(o->name);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_add_set_remove),
		TEST(test_web_names_of_add),
		TEST(test_negative_findings),
		TEST(test_wrong_usage),
		TEST(test_list_and_show),
		TEST(test_mail_without_web),
		TEST(test_recipients),
		TEST(test_recipients_that_are_none),
		TEST(test_json),
		TEST(test_apply_and_import),
		TEST(test_rows_that_do_not_parse),
		TEST(test_no_store),
		TEST(test_an_option_for_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The settings of the process: presets, meanings, faults, what a reload can take. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../unit.h"
#include "base/mem.h"
#include "settings/settings.h"

static struct arena arena;
static struct conf_errors errors;

static int setup(void **state)
{
	arena_init(&arena, 4096);
	return 0;
}
static int teardown(void **state)
{
	arena_done(&arena);
	return 0;
}

static struct settings *parse(const char *text)
{
	return settings_parse(span_of(text), "t.conf", &arena, &errors);
}

static struct settings *parses(const char *text)
{
	struct settings *s = parse(text);

	for (unsigned i = 0; i < errors.n; i++)
		print_error("%.*s: %s\n", SPAN_ARG(fault_value(&errors.v[i], "line")),
			fault_code_text(errors.v[i].code));
	assert_non_null(s);
	return s;
}

static void assert_fault(const char *text, const char *line, const char *key, const char *why)
{
	assert_null(parse(text));
	assert_int_equal(errors.n, 1);
	assert_int_equal(errors.v[0].code, FAULT_SETTINGS_BAD_VALUE);
	assert_span(fault_value(&errors.v[0], "line"), line);
	assert_span(fault_value(&errors.v[0], "key"), key);
	assert_span(fault_value(&errors.v[0], "why"), why);
}

static void test_presets_are_safe(void **state)
{
	struct settings *s = parses("");
	struct web_settings web;

	assert_int_equal(s->web.listen.n, 0);
	assert_int_equal(s->web.listen_tls.n, 0);
	assert_string_equal(s->store.p, "sqlite:/var/lib/torhaus/torhaus.db");
	assert_string_equal(s->control.p, "/run/torhaus/control.sock");
	assert_string_equal(s->user.p, "torhaus");
	assert_int_equal(s->certificates.n, 1);
	assert_int_equal(s->threads, 0);
	assert_string_equal(s->log.to.p, "stderr");
	settings_for_web(s, &web);
	assert_int_equal(web.access, ACCESS_JSON);
	assert_string_equal(web.access_to, "/var/log/torhaus/access.log");
	assert_int_equal(web.proxy_from_n, 0);
	/* Every wait has an end. */
	assert_in_range(web.limits.head_timeout_ms, 1000, 60000);
	assert_in_range(web.limits.body_timeout_ms, 1000, 60000);
	assert_in_range(web.limits.send_timeout_ms, 1000, 60000);
	assert_in_range(web.limits.keep_alive_ms, 1000, 300000);
	assert_in_range(web.limits.requests_max, 100, 100000);
	assert_in_range(web.tls_timeout_ms, 1000, 60000);
	assert_in_range(web.connections_max, 1000, 100000);
	settings_unref(s);
}

static void test_meanings(void **state)
{
	struct settings *s = parses("web { listen = {\"127.0.0.1:0\", \"[::]:80\"} listen_tls = [::1]:443\n"
				    "proxy_from = {10.0.0.0/8, ::1} cache_memory = 2M keep_alive = 0 }\n"
				    "log { access = combined access_to = \"/var/log/a b.log\" }");
	char text[NET_ADDR_SIZE];
	struct web_settings web;
	struct net_addr addr;

	assert_int_equal(s->web.listen.n, 2);
	assert_int_equal(net_addr_port(&s->web.plain[0]), 0);
	net_addr_text(&s->web.plain[1], text);
	assert_string_equal(text, "[::]:80");
	net_addr_text(&s->web.tls[0], text);
	assert_string_equal(text, "[::1]:443");
	settings_for_web(s, &web);
	assert_int_equal(web.cache_memory, 2 << 20);
	assert_int_equal(web.limits.keep_alive_ms, 0);
	assert_int_equal(web.access, ACCESS_COMBINED);
	assert_string_equal(web.access_to, "/var/log/a b.log");
	assert_int_equal(web.proxy_from_n, 2);
	assert_int_equal(net_addr_parse(SPAN("10.9.8.7:1"), -1, &addr), 0);
	assert_true(net_prefix_contains(&web.proxy_from[0], &addr));
	assert_false(net_prefix_contains(&web.proxy_from[1], &addr));
	settings_unref(s);
}

static void test_mail(void **state)
{
	struct settings *s =
		parses("mail { listen = {127.0.0.1:2525} listen_tls = {127.0.0.1:4650}\n"
		       "hostname = mx.example.net tls_grace = 2h errors_max = 3 proxy_from = 10.0.0.0/8 }");
	struct mail_settings mail;

	settings_for_mail(s, &mail);
	assert_string_equal(mail.hostname, "mx.example.net");
	assert_int_equal(mail.tls_grace_ms, 7200000);
	assert_int_equal(mail.errors_max, 3);
	assert_int_equal(mail.message_size_max, 50 << 20);
	assert_int_equal(mail.proxy_from_n, 1);
	settings_unref(s);
	/* The system has a name. */
	s = parses("");
	settings_for_mail(s, &mail);
	assert_true(strlen(mail.hostname) > 0);
	settings_unref(s);
	assert_fault("mail { hostname = \"a b\" }", "1", "mail.hostname", "it is not a host name");
	assert_fault("web { listen = 127.0.0.1:25 }\nmail { listen = 127.0.0.1:25 }", "2", "mail.listen",
		"this address is listened on already");
}

static void test_bad_values(void **state)
{
	assert_fault("web { listen = 80 }", "1", "web.listen", "it is not an address with port");
	assert_fault("web { listen = localhost:80 }", "1", "web.listen", "it is not an address with port");
	assert_fault("web { listen_tls = \"[::]\" }", "1", "web.listen_tls", "the port is missing");
	assert_fault("web { listen = 0.0.0.0:65536 }", "1", "web.listen", "it is not an address with port");
	assert_fault("web { listen = \"unix:/x\" }", "1", "web.listen", "it is not an address with port");
	assert_fault("web {\nproxy_from = 1.2.3.4/33 }", "2", "web.proxy_from", "it is not a network");
	assert_fault("user = \"x y\"", "1", "user", "it is not the name of a user");
	assert_fault("user = 0", "1", "user", "it is not the name of a user");
	assert_fault("user = ../x", "1", "user", "it is not the name of a user");
	assert_fault("store = \"postgresql://x\"", "1", "store", "there is no such kind of store");
	assert_fault("store = \"sqlite:torhaus.db\"", "1", "store", "there is no such kind of store");
	assert_fault("certificates = {/a, certs}", "1", "certificates", "it does not begin with a /");
	assert_fault("log { access_to = journald }", "1", "log.access_to", "it does not begin with a /");
	assert_fault("log { to = x.log }", "1", "log.to", "it does not begin with a /");
	assert_fault("threads = 257", "1", "threads", "it is too large");
	assert_fault("web { keep_alive_requests = 0 }", "1", "web.keep_alive_requests", "it is too small");
	assert_fault("control = \"/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789"
		     "/0123456789/0123456789/01234567\"",
		"1", "control", "the path is too long for a socket");
}

static void test_listening_twice(void **state)
{
	static const char why[] = "this address is listened on already";

	assert_fault("web { listen = {0.0.0.0:80, 0.0.0.0:80} }", "1", "web.listen", why);
	assert_fault("web {\nlisten = \"[::1]:80\"\nlisten_tls = {\n0.0.0.0:443, \"[0::1]:80\"} }", "3",
		"web.listen_tls", why);
	settings_unref(parses("web { listen = {127.0.0.1:0, 127.0.0.1:0} listen_tls = 127.0.0.1:0 }"));
	settings_unref(parses("web { listen = {0.0.0.0:80, \"[::]:80\"} listen_tls = 127.0.0.1:80 }"));
}

static void test_all_faults_at_once(void **state)
{
	assert_null(parse("store = mysql:x\n"
			  "thread = 4\n"
			  "web {\n"
			  "  listen = {\"0.0.0.0:80\", \"0.0.0.0:80\", nonsense}\n"
			  "  head_timeout = 49ms\n"
			  "}\n"
			  "mial { listen = {} }\n"));
	assert_int_equal(errors.n, 6);
	for (unsigned i = 0; i < errors.n; i++) {
		static const char *const lines[] = { "1", "2", "4", "4", "5", "7" };

		assert_span(fault_value(&errors.v[i], "line"), lines[i]);
		assert_span(fault_value(&errors.v[i], "file"), "t.conf");
	}
}

static void test_too_many_addresses(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);

	buf_add_text(&text, "web { listen = {");
	for (unsigned i = 0; i < 2 * SETTINGS_LISTEN_MAX; i++)
		buf_addf(&text, "127.0.0.1:%u,", 1000 + i);
	buf_add_text(&text, "} }");
	assert_fault(buf_text(&text), "1", "web.listen", "the list is too long");
}

static void test_compare(void **state)
{
	_cleanup_(buf_done) struct buf keys = BUF_INIT(1000);
	struct settings *old = parses("threads = 2 web { listen = 127.0.0.1:80 }");
	struct settings *same = parses("# other words, same meaning\nweb { listen = {'127.0.0.1:80'} } threads = 2");
	struct settings *in_place = parses("threads = 2 certificates = {} web { keep_alive = 1s }");
	struct settings *reborn = parses("user = nobody log { access = off to = /x } web { listen = 127.0.0.1:80 }");

	assert_int_equal(settings_compare(old, same, &keys), SETTINGS_SAME);
	assert_string_equal(buf_text(&keys), "");
	assert_int_equal(settings_compare(old, in_place, &keys), SETTINGS_IN_PLACE);
	assert_string_equal(buf_text(&keys), "certificates, web.listen, web.keep_alive");
	buf_reset(&keys);
	assert_int_equal(settings_compare(old, reborn, &keys), SETTINGS_NEW_WORKER);
	assert_string_equal(buf_text(&keys), "user, threads, log.access, log.to");
	assert_int_equal(settings_compare(old, reborn, NULL), SETTINGS_NEW_WORKER);
	settings_unref(old);
	settings_unref(same);
	settings_unref(in_place);
	settings_unref(reborn);
}

static void test_template(void **state)
{
	struct settings *presets = parses("");

	for (enum fault_lang lang = FAULT_EN; lang <= FAULT_DE; lang++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(1 << 16);
		struct settings *s;

		conf_template(&text, settings_keys, NULL, lang);
		s = parses(buf_text(&text));
		assert_int_equal(settings_compare(presets, s, NULL), SETTINGS_SAME);
		settings_unref(s);
	}
	settings_unref(presets);
}

static void test_references(void **state)
{
	struct settings *s = parses("user = a");

	assert_ptr_equal(settings_ref(s), s);
	assert_null(settings_unref(s));
	assert_span(s->user, "a");
	assert_span(s->file, "t.conf");
	assert_span(s->text, "user = a");
	assert_null(settings_unref(s));
	assert_null(settings_unref(NULL));
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_unreadable(const char *path, int error)
{
	assert_null(settings_load(path, &arena, &errors));
	assert_int_equal(errors.n, 1);
	assert_int_equal(errors.v[0].code, FAULT_SETTINGS_UNREADABLE);
	assert_span(fault_value(&errors.v[0], "path"), path);
	assert_span(fault_value(&errors.v[0], "error"), strerror(error));
}

static void test_files(void **state)
{
	char dir[] = "/tmp/torhaus-settings-XXXXXX", path[64];
	struct settings *s;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/torhaus.conf", dir);
	assert_unreadable(path, ENOENT);
	assert_unreadable(dir, EISDIR);
	write_file(path, "user = someone\n");
	s = settings_load(path, &arena, &errors);
	assert_non_null(s);
	assert_span(s->user, "someone");
	assert_span(s->file, path);
	settings_unref(s);
	write_file(path, "user = 7\n");
	assert_null(settings_load(path, &arena, &errors));
	assert_span(fault_value(&errors.v[0], "file"), path);
	assert_int_equal(truncate(path, SETTINGS_BYTES_MAX + 1), 0);
	assert_unreadable(path, EFBIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_unreadable(path, EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets_are_safe),
		cmocka_unit_test(test_meanings),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_listening_twice),
		cmocka_unit_test(test_all_faults_at_once),
		cmocka_unit_test(test_too_many_addresses),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * The resolver with upstreams that do badly: silence, lies, refusals, truncation, slowness,
 * letters; health; what is kept; stale answers; overload; the end.
 */
#include "resolver_test.h"

#define ONE "\xc0\0\2\1"

/* ---- one of two does badly ---- */

static void second_saves(struct stage *s)
{
	stage_assert_address(s, "www.example.de", ONE);
	assert_int_equal(s->u[1].asked, 1);
	assert_true(s->u[0].asked >= 1);
}

static void test_the_second_is_asked(void **state)
{
	static const enum script bad[] = { SILENT, SERVFAIL, REFUSED, WRONG_ID, WRONG_QUESTION, OTHERS, GARBAGE, SLOW };

	(void)state;
	for (unsigned i = 0; i < array_len(bad); i++)
		stage_run(second_saves, 2, bad[i], PLAIN);
}

static void first_alone(struct stage *s)
{
	stage_assert_address(s, "www.example.de", ONE);
	assert_int_equal(s->u[0].asked, 1);
	assert_int_equal(s->u[1].asked, 0);
}

static void test_the_first_is_preferred(void **state)
{
	(void)state;
	stage_run(first_alone, 2, PLAIN, PLAIN);
}

static void closed(struct stage *s)
{
	struct net_addr addrs[2] = { s->u[0].addr, s->u[1].addr };

	/* Nobody listens on port 1: the kernel says so, and the second is asked at once. */
	net_addr_set_port(&addrs[0], 1);
	dns_resolver_use(s->r, addrs, 2);
	task_sleep(1);
	stage_assert_address(s, "www.example.de", ONE);
	stage_wait_for(s, "\"code\":\"DNS-UPSTREAM-DOWN\"");
	assert_int_equal(s->u[1].asked, 1);
}

static void test_a_refusal_by_the_network(void **state)
{
	(void)state;
	stage_run(closed, 2, PLAIN, PLAIN);
}

/* ---- lies ---- */

static void truth_comes(struct stage *s)
{
	stage_assert_address(s, "www.example.de", ONE);
	assert_int_equal(s->u[0].asked, 1);
}

static void test_lies_do_not_end_a_try(void **state)
{
	(void)state;
	stage_run(truth_comes, 1, FORGED_FIRST, PLAIN);
	stage_run(truth_comes, 1, OTHER_PORT, PLAIN);
}

static const char *fresh_name(unsigned i)
{
	static char name[64];

	snprintf(name, sizeof(name), "n%uabcdefghijklmnopqrstuvwxyz.example.de", i);
	return name;
}

/* Its port for TCP is closed from now on. */
static void stop_tcp(struct scripted *u)
{
	task_cancel(u->tcp_task);
	while (u->tasks > 1)
		task_yield();
	u->tcp_task = NULL;
	close(u->listener);
	u->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void letters(struct stage *s)
{
	unsigned upper = 0;

	/* The first probes show that it repeats what was written; from then on letters are at
	 * random. */
	task_sleep(50);
	stage_assert_address(s, "abcdefghijklmnopqrstuvwxyz.example.de", ONE);
	for (unsigned i = 0; i < 27; i++)
		upper += s->u[0].last.question[i] >= 'A' && s->u[0].last.question[i] <= 'Z';
	assert_true(upper > 0 && upper < 26);
	assert_int_equal(s->u[0].asked_tcp, 0);
	/* Who answers in other letters than he was asked in is not believed: by TCP he is. */
	s->u[0].script = LOWER_CASE;
	stage_assert_address(s, "zyxwvutsrqponmlkjihgfedcba.example.de", ONE);
	assert_int_equal(s->u[0].asked_tcp, 1);
	/* One that repeats them again has not lost the protection. */
	s->u[0].script = PLAIN;
	stage_assert_address(s, "kept.example.de", ONE);
	s->u[0].script = LOWER_CASE;
	for (unsigned i = 2; i <= 4; i++) {
		stage_assert_address(s, fresh_name(i), ONE);
		assert_int_equal(s->u[0].asked_tcp, i);
	}
	/* Three in a row: that is how it is. */
	stage_assert_address(s, fresh_name(9), ONE);
	assert_int_equal(s->u[0].asked_tcp, 4);
}

static void fold_without_tcp(struct stage *s)
{
	task_sleep(50);
	stop_tcp(&s->u[0]);
	s->u[0].script = LOWER_CASE;
	for (unsigned i = 0; i < 5; i++)
		stage_assert_address(s, fresh_name(i), ONE);
	/* Each of the first three was asked twice. */
	assert_int_equal(s->u[0].asked, 8);
}

static void test_letters_are_compared(void **state)
{
	(void)state;
	stage_run(letters, 1, PLAIN, PLAIN);
	stage_run(fold_without_tcp, 1, PLAIN, PLAIN);
}

static void no_letters(struct stage *s)
{
	s->u[0].probe = LOWER_CASE;
	s->u[0].script = LOWER_CASE;
	dns_resolver_use(s->r, NULL, 0);
	task_sleep(1);
	stage_use(s);
	task_sleep(50);
	stage_assert_address(s, "www.example.de", ONE);
}

static void test_an_upstream_that_changes_letters(void **state)
{
	(void)state;
	stage_run(no_letters, 1, LOWER_CASE, PLAIN);
}

static void fresh_ids(struct stage *s)
{
	unsigned same = 0;
	uint16_t last = 0;
	char name[32];

	for (unsigned i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "n%u.example.de", i);
		stage_assert_address(s, name, ONE);
		same += s->u[0].last.id == last || s->u[0].last.id == last + 1;
		last = s->u[0].last.id;
	}
	assert_true(same < 4);
}

static void test_ids_are_random(void **state)
{
	(void)state;
	stage_run(fresh_ids, 1, PLAIN, PLAIN);
}

/* ---- other ways ---- */

static void by_tcp(struct stage *s)
{
	stage_assert_address(s, "www.example.de", ONE);
	assert_int_equal(s->u[0].asked, 1);
	assert_int_equal(s->u[0].asked_tcp, 1);
}

static void test_what_is_truncated_comes_by_tcp(void **state)
{
	(void)state;
	stage_run(by_tcp, 1, TRUNCATED, PLAIN);
	stage_run(by_tcp, 1, LONG, PLAIN);
}

static void no_tcp(struct stage *s)
{
	/* The port for TCP is closed: the other upstream has the answer, and the first is none the
	 * worse for it. */
	stop_tcp(&s->u[0]);
	stage_assert_address(s, "www.example.de", ONE);
	assert_int_equal(s->u[1].asked, 1);
	assert_false(stage_says(s, "\"state\":\"down\""));
}

static void test_an_upstream_without_tcp(void **state)
{
	(void)state;
	stage_run(no_tcp, 2, TRUNCATED, PLAIN);
}

static void without_edns(struct stage *s)
{
	stage_assert_address(s, "www.example.de", ONE);
	assert_int_equal(s->u[0].asked, 2);
	assert_false(s->u[0].last.edns.present);
}

static void test_an_upstream_without_edns(void **state)
{
	(void)state;
	stage_run(without_edns, 1, NO_EDNS, PLAIN);
}

static void chain(struct stage *s)
{
	stage_assert_address(s, "www.example.de", "\xc0\0\2\2");
}

static void test_an_alias(void **state)
{
	(void)state;
	stage_run(chain, 1, CHAIN, PLAIN);
}

/* ---- all do badly ---- */

static void said_no(struct stage *s)
{
	uint64_t begun = loop_now_ms();
	unsigned asked;

	/* When all have said so nobody waits for more. */
	stage_assert_failure(s, "www.example.de", DNS_EDE_NO_REACHABLE);
	assert_true(loop_now_ms() - begun < DNS_STALE_MS);
	asked = s->u[0].asked + s->u[1].asked;
	assert_int_equal(asked, 2);
	/* It is believed for a moment. */
	stage_assert_failure(s, "www.example.de", DNS_EDE_NO_REACHABLE);
	assert_int_equal(s->u[0].asked + s->u[1].asked, asked);
}

static void test_all_refuse(void **state)
{
	(void)state;
	stage_run(said_no, 2, SERVFAIL, REFUSED);
	stage_run(said_no, 2, GARBAGE, OTHERS);
}

static void says_why(struct stage *s)
{
	stage_assert_failure(s, "www.example.de", 6);
	stage_assert_failure(s, "www.example.de", 6);
}

static void test_a_failure_with_its_reason(void **state)
{
	(void)state;
	stage_run(says_why, 1, BOGUS, PLAIN);
	stage_run(says_why, 2, SERVFAIL, BOGUS);
}

static void comes_late(struct stage *s)
{
	struct dns_question q = dns_question_of("www.example.de", DNS_TYPE_A);
	struct dns_question other = dns_question_of("other.example.de", DNS_TYPE_A);
	struct dns_result result;

	/* The failure in time, and the answer for the next who asks. */
	stage_assert_failure(s, "www.example.de", DNS_EDE_NO_REACHABLE);
	while (!dns_now(s->r, &q, 0, &result) || !result.answer)
		task_sleep(5);
	assert_false(result.stale);
	dns_answer_unref(result.answer);
	/* Who asks while a late answer is still to come hears of the failure for a moment, and
	 * begins anew then. */
	stage_assert_failure(s, "other.example.de", DNS_EDE_NO_REACHABLE);
	assert_true(dns_now(s->r, &other, 0, &result));
	assert_null(result.answer);
	s->u[0].script = PLAIN;
	while (dns_now(s->r, &other, 0, &result) && !result.answer)
		task_sleep(5);
	dns_answer_unref(result.answer);
	stage_assert_address(s, "other.example.de", ONE);
}

static void test_an_answer_that_comes_late(void **state)
{
	(void)state;
	stage_run(comes_late, 1, VERY_SLOW, PLAIN);
}

static void one_says_no(struct stage *s)
{
	uint64_t begun;

	s->u[1].probe = SILENT;
	stage_wait_for(s, "DNS-UPSTREAM-SILENT");
	stage_wait_for(s, "\"state\":\"down\"");
	/* What one says counts soon if the other is known to be gone. */
	begun = loop_now_ms();
	stage_assert_failure(s, "www.example.de", DNS_EDE_NO_REACHABLE);
	assert_true(loop_now_ms() - begun < DNS_STALE_MS);
	assert_true(s->u[1].asked >= 1);
}

static void test_one_says_no_and_one_is_gone(void **state)
{
	(void)state;
	stage_run(one_says_no, 2, SERVFAIL, SILENT);
}

static void black_hole(struct stage *s)
{
	uint64_t begun = loop_now_ms();

	s->u[0].probe = s->u[1].probe = SILENT;

	stage_assert_failure(s, "www.example.de", DNS_EDE_NO_REACHABLE);
	assert_true(loop_now_ms() - begun >= DNS_STALE_MS);
	/* Each was tried again, at most three times (RFC 9520 3.1). */
	assert_int_equal(s->u[0].asked, 3);
	assert_true(s->u[1].asked == 2 || s->u[1].asked == 3);
	stage_wait_for(s, "\"state\":\"down\"");
	stage_wait_for(s, "DNS-UPSTREAM-SILENT");
	/* They are back: seen without anybody's asking. */
	for (unsigned i = 0; i < 2; i++)
		s->u[i].script = s->u[i].probe = PLAIN;
	stage_wait_for(s, "\"state\":\"up\"");
	stage_assert_address(s, "www.example.de", ONE);
}

static void test_a_black_hole(void **state)
{
	(void)state;
	stage_run(black_hole, 2, SILENT, SILENT);
}

static void back_in_time(struct stage *s)
{
	struct dns_question q = dns_question_of("www.example.de", DNS_TYPE_A);
	struct dns_result result;

	/* A question under way takes the upstream's return along. */
	assert_int_equal(dns_query(&q, 0, deadline_in(300), &result), -ETIMEDOUT);
	s->u[0].script = PLAIN;
	stage_assert_address(s, "www.example.de", ONE);
}

static void test_one_comes_back_under_way(void **state)
{
	(void)state;
	stage_run(back_in_time, 1, SILENT, PLAIN);
}

static void self(struct stage *s)
{
	struct dns_question q = dns_question_of("www.example.de", DNS_TYPE_A);
	struct dns_name other = dns_name_of("torhaus-0123456789abcdef.example"), old;
	const struct net_addr *from = &s->u[0].secret_from;
	struct dns_result result;

	while (s->u[0].secret.n == 0)
		task_sleep(5);
	task_sleep(50);
	dns_name_lower(&s->u[0].secret);
	old = s->u[0].secret;
	/* What others make up is no proof, nor what they have seen: the test is over. */
	assert_false(dns_resolver_is_loop(s->r, &q.name, from));
	assert_false(dns_resolver_is_loop(s->r, &other, from));
	assert_false(dns_resolver_is_loop(s->r, &old, from));
	assert_true(stage_says(s, "\"state\":\"up\""));
	/* One under way. */
	s->u[0].probe = SILENT;
	while (dns_name_eq(&s->u[0].secret, &old))
		task_sleep(5);
	dns_name_lower(&s->u[0].secret);
	assert_false(dns_resolver_is_loop(s->r, &old, from));
	assert_true(dns_resolver_is_loop(s->r, &s->u[0].secret, from));
	assert_true(stage_says(s, "\"state\":\"self\""));
	/* The same from elsewhere: somebody else has sent it here. */
	assert_true(dns_resolver_is_loop(s->r, &s->u[0].secret, &s->u[0].addr));
	assert_true(stage_says(s, "\"state\":\"loop\",") && stage_says(s, "DNS-FORWARD-LOOP"));
	/* The only upstream is ourselves: there is nobody to ask, and nothing to wait for. */
	assert_true(dns_now(s->r, &q, 0, &result));
	assert_null(result.answer);
	assert_int_equal(result.ede, DNS_EDE_NO_REACHABLE);
	stage_assert_failure(s, "www.example.de", DNS_EDE_NO_REACHABLE);
	assert_int_equal(s->u[0].asked, 0);
}

static void test_an_upstream_that_is_ourselves(void **state)
{
	(void)state;
	stage_run(self, 1, PLAIN, PLAIN);
}

/* ---- what is kept ---- */

static void kept(struct stage *s)
{
	struct dns_question q = dns_question_of("www.example.de", DNS_TYPE_A);
	struct dns_result result;

	stage_assert_address(s, "www.example.de", ONE);
	stage_assert_address(s, "WWW.Example.DE", ONE);
	assert_true(dns_now(s->r, &q, 0, &result));
	assert_true(result.cached);
	dns_answer_unref(result.answer);
	assert_int_equal(s->u[0].asked, 1);
	/* Another type, and another wish for signatures, are other questions. */
	assert_false(dns_now(s->r, &q, DNS_ASK_DO, &result));
	q.type = DNS_TYPE_AAAA;
	assert_false(dns_now(s->r, &q, 0, &result));
	assert_true(stage_says(s, "\"kept\":1,"));
}

static void test_answers_are_kept(void **state)
{
	(void)state;
	stage_run(kept, 1, PLAIN, PLAIN);
}

static void kept_no(struct stage *s)
{
	struct dns_result result;

	for (unsigned i = 0; i < 2; i++) {
		result = stage_ask(s, "nix.example.de", DNS_TYPE_A);
		assert_int_equal(dns_answer_rcode(result.answer), DNS_NXDOMAIN);
		dns_answer_unref(result.answer);
	}
	assert_int_equal(s->u[0].asked, 1);
}

static void test_no_such_name_is_kept(void **state)
{
	(void)state;
	stage_run(kept_no, 1, NX, PLAIN);
}

static void stale(struct stage *s)
{
	struct dns_result result;

	s->u[0].ttl = 1;
	stage_assert_address(s, "www.example.de", ONE);
	task_sleep(1100);
	s->u[0].script = s->u[0].probe = SILENT;
	result = stage_ask(s, "www.example.de", DNS_TYPE_A);
	assert_true(result.stale && result.answer);
	dns_answer_unref(result.answer);
	/* Once it counts as down nobody waits for it. */
	stage_wait_for(s, "\"state\":\"down\"");
	result = stage_ask(s, "www.example.de", DNS_TYPE_A);
	assert_true(result.stale && result.cached);
	dns_answer_unref(result.answer);
	/* And the question that went out all the same brings a fresh one. */
	s->u[0].script = s->u[0].probe = PLAIN;
	s->u[0].ttl = 300;
	stage_wait_for(s, "\"state\":\"up\"");
	do {
		result = stage_ask(s, "www.example.de", DNS_TYPE_A);
		assert_non_null(result.answer);
		dns_answer_unref(result.answer);
		task_sleep(10);
	} while (result.stale);
}

static void test_a_stale_answer(void **state)
{
	(void)state;
	stage_run(stale, 1, PLAIN, PLAIN);
}

static void stale_at_once(struct stage *s)
{
	uint64_t begun;
	struct dns_result result;

	s->u[0].ttl = 1;
	stage_assert_address(s, "www.example.de", ONE);
	task_sleep(1100);
	s->u[0].script = SERVFAIL;
	begun = loop_now_ms();
	result = stage_ask(s, "www.example.de", DNS_TYPE_A);
	assert_true(result.stale && result.answer);
	assert_true(loop_now_ms() - begun < DNS_STALE_MS);
	dns_answer_unref(result.answer);
	/* For a moment that is all there is to know. */
	result = stage_ask(s, "www.example.de", DNS_TYPE_A);
	assert_true(result.stale && result.cached);
	dns_answer_unref(result.answer);
	assert_int_equal(s->u[0].asked, 2);
	/* After that it is asked first: the failure may have ended, and the name may have moved
	 * (RFC 8767 5). */
	s->u[0].script = CHAIN;
	task_sleep(1100);
	stage_assert_address(s, "www.example.de", "\xc0\0\2\2");
}

static void test_a_stale_answer_when_all_have_failed(void **state)
{
	(void)state;
	stage_run(stale_at_once, 1, PLAIN, PLAIN);
}

/* ---- many ---- */

struct many {
	struct dns_waiter w;
	unsigned *answered;
	struct dns_result result;
};

static void count(struct dns_waiter *w, const struct dns_result *result)
{
	struct many *one = container_of(w, struct many, w);

	one->result = *result;
	++*one->answered;
}

static void equal_questions(struct stage *s)
{
	struct dns_question q = dns_question_of("www.example.de", DNS_TYPE_A);
	static struct many all[200];
	unsigned answered = 0;

	for (unsigned i = 0; i < array_len(all); i++) {
		all[i] = (struct many){ .w.fn = count, .answered = &answered };
		assert_int_equal(dns_wait(s->r, &q, 0, &all[i].w), 0);
	}
	/* Nobody is told within the call. */
	assert_int_equal(answered, 0);
	dns_wait_cancel(&all[7].w);
	while (answered < array_len(all) - 1)
		task_sleep(1);
	assert_int_equal(s->u[0].asked, 1);
	assert_null(all[7].result.answer);
}

static void test_equal_questions_are_one(void **state)
{
	(void)state;
	stage_run(equal_questions, 1, PLAIN, PLAIN);
}

static void too_many(struct stage *s)
{
	static struct many all[DNS_QUESTIONS_MAX + 1];
	unsigned answered = 0, waiting = 0;
	struct dns_question q = dns_question_of("000000.example.de", DNS_TYPE_A);
	int r = 0;

	s->u[0].probe = SILENT;
	for (unsigned i = 0; i <= DNS_QUESTIONS_MAX; i++) {
		char digits[8];

		snprintf(digits, sizeof(digits), "%06u", i);
		memcpy(q.name.p + 1, digits, 6);
		all[i] = (struct many){ .w.fn = count, .answered = &answered };
		r = dns_wait(s->r, &q, 0, &all[i].w);
		waiting += r == 0;
	}
	assert_int_equal(waiting, DNS_QUESTIONS_MAX);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(dns_resolver_busy(s->r), DNS_QUESTIONS_MAX);
	/* Every one of them is answered; at the end of the thread, too. */
	dns_resolver_thread_stop(s->r, 0);
	assert_int_equal(answered, DNS_QUESTIONS_MAX);
	assert_true(dns_now(s->r, &q, 0, &all[0].result));
	assert_int_equal(dns_wait(s->r, &q, 0, &all[0].w), -EAGAIN);
}

static void run_too_many(void *arg)
{
	struct stage *s = arg;

	scripted_start(&s->u[0], SILENT);
	dns_resolver_thread_start(s->r, 0);
	stage_use(s);
	too_many(s);
	scripted_stop(&s->u[0]);
	loop_stop(loop_self());
}

static void test_ten_thousand_and_one(void **state)
{
	struct stage s = { .r = dns_resolver_new(1), .n = 1 };
	struct loop *loop = loop_new(NULL);

	(void)state;
	task_spawn_on(loop, "test", run_too_many, &s, NULL);
	loop_run(loop);
	assert_null(loop_free(loop));
	assert_null(dns_resolver_free(s.r));
}

/* ---- addresses ---- */

static void addresses(struct stage *s)
{
	struct net_addr a[4];
	char text[NET_ADDR_SIZE];

	(void)s;
	assert_int_equal(dns_resolve(SPAN("192.0.2.9"), 80, a, 4, DEADLINE_NEVER), 1);
	assert_int_equal(dns_resolve(SPAN("www.example.de"), 8080, a, 4, DEADLINE_NEVER), 1);
	net_addr_text(&a[0], text);
	assert_string_equal(text, "192.0.2.1:8080");
	assert_int_equal(dns_resolve(SPAN(""), 80, a, 4, DEADLINE_NEVER), -ENOENT);
	assert_int_equal(dns_resolve(SPAN("a..b"), 80, a, 4, DEADLINE_NEVER), -ENOENT);
	s->u[0].script = NX;
	assert_int_equal(dns_resolve(SPAN("nix.example.de."), 80, a, 4, DEADLINE_NEVER), -ENOENT);
	s->u[0].script = SERVFAIL;
	assert_int_equal(dns_resolve(SPAN("bad.example.de."), 80, a, 4, DEADLINE_NEVER), -EAGAIN);
	s->u[0].script = SILENT;
	assert_int_equal(dns_resolve(SPAN("slow.example.de."), 80, a, 4, deadline_in(50)), -ETIMEDOUT);
}

/* RFC 8305: one family does not wait for the other in vain, and does not take its room. */
static void one_family(struct stage *s)
{
	uint64_t begun_ms = loop_now_ms();
	struct net_addr a[4];
	struct dns_host host;

	assert_int_equal(dns_resolve(SPAN("www.example.de"), 80, a, 4, DEADLINE_NEVER), 1);
	assert_true(loop_now_ms() - begun_ms < DNS_STALE_MS);
	/* What has come by the deadline counts. */
	assert_int_equal(dns_resolve(SPAN("other.example.de"), 80, a, 4, deadline_in(30)), 1);
	assert_int_equal(dns_resolve_host(SPAN("v6.example.de"), DNS_V6, deadline_in(30), &host), -ETIMEDOUT);
	assert_int_equal(dns_resolve_host(SPAN("v4.example.de"), DNS_V4, DEADLINE_NEVER, &host), 1);
	assert_true(host.ttl_s > 290 && host.ttl_s <= 300 && !host.stale);
	s->u[0].script = MANY_AAAA;
	assert_int_equal(dns_resolve_host(SPAN("many.example.de"), DNS_V4 | DNS_V6, DEADLINE_NEVER, &host), 21);
	assert_int_equal(dns_resolve(SPAN("many.example.de"), 80, a, 4, DEADLINE_NEVER), 4);
	assert_int_equal((a[0].sa.sa_family == AF_INET) + (a[1].sa.sa_family == AF_INET), 1);
}

static void test_one_family_and_the_other(void **state)
{
	(void)state;
	helper_start(1);
	stage_run(one_family, 1, NO_AAAA, PLAIN);
	helper_stop();
}

static void test_addresses_of_a_host(void **state)
{
	(void)state;
	helper_start(1);
	stage_run(addresses, 1, PLAIN, PLAIN);
	helper_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_second_is_asked),
		cmocka_unit_test(test_the_first_is_preferred),
		cmocka_unit_test(test_a_refusal_by_the_network),
		cmocka_unit_test(test_lies_do_not_end_a_try),
		cmocka_unit_test(test_letters_are_compared),
		cmocka_unit_test(test_an_upstream_that_changes_letters),
		cmocka_unit_test(test_ids_are_random),
		cmocka_unit_test(test_what_is_truncated_comes_by_tcp),
		cmocka_unit_test(test_an_upstream_without_tcp),
		cmocka_unit_test(test_an_upstream_without_edns),
		cmocka_unit_test(test_an_alias),
		cmocka_unit_test(test_all_refuse),
		cmocka_unit_test(test_a_failure_with_its_reason),
		cmocka_unit_test(test_an_answer_that_comes_late),
		cmocka_unit_test(test_one_says_no_and_one_is_gone),
		cmocka_unit_test(test_a_black_hole),
		cmocka_unit_test(test_one_comes_back_under_way),
		cmocka_unit_test(test_answers_are_kept),
		cmocka_unit_test(test_no_such_name_is_kept),
		cmocka_unit_test(test_a_stale_answer),
		cmocka_unit_test(test_a_stale_answer_when_all_have_failed),
		cmocka_unit_test(test_equal_questions_are_one),
		cmocka_unit_test(test_ten_thousand_and_one),
		cmocka_unit_test(test_addresses_of_a_host),
		cmocka_unit_test(test_one_family_and_the_other),
		cmocka_unit_test(test_an_upstream_that_is_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

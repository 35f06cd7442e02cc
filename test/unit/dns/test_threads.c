/* Three threads that ask one resolver, while its upstreams are replaced and its state is read. Run
 * by ThreadSanitizer too. */
#include "resolver_test.h"

#define LOOPS 3
#define ASKS  300

static struct dns_resolver *resolver;
static struct loop *loops[LOOPS];
static struct scripted upstream;
static _Atomic unsigned ready, done, ended;

static void ask_many(unsigned thread)
{
	for (unsigned i = 0; i < ASKS; i++) {
		struct dns_question q;
		struct dns_result result;
		char name[32];

		/* Names of all threads, so that they meet in what is kept. */
		snprintf(name, sizeof(name), "n%u.example.de", (i * 7 + thread) % 50);
		q = dns_question_of(name, DNS_TYPE_A);
		assert_int_equal(dns_query(&q, 0, DEADLINE_NEVER, &result), 0);
		assert_non_null(result.answer);
		dns_answer_unref(result.answer);
	}
}

static void thread_main_task(void *arg)
{
	unsigned thread = (unsigned)(uintptr_t)arg;

	dns_resolver_thread_start(resolver, thread);
	if (thread == 0)
		scripted_start(&upstream, PLAIN);
	ready++;
	while (ready < LOOPS + 1)
		task_sleep(1);
	ask_many(thread);
	done++;
	while (done < LOOPS + 1)
		task_sleep(1);
	dns_resolver_thread_stop(resolver, thread);
	if (thread == 0)
		scripted_stop(&upstream);
	ended++;
	loop_stop(loop_self());
}

static void *run_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void read_state(void)
{
	struct buf out = BUF_INIT(1 << 16);
	struct jsonw j;

	jsonw_init(&j, &out);
	jsonw_object(&j, NULL);
	dns_resolver_json(resolver, &j);
	jsonw_end(&j);
	assert_true(dns_resolver_busy(resolver) <= LOOPS * 2);
	buf_done(&out);
}

static void test_three_threads(void **state)
{
	pthread_t threads[LOOPS];
	struct net_addr both[2];

	(void)state;
	resolver = dns_resolver_new(LOOPS);
	for (unsigned i = 0; i < LOOPS; i++) {
		loops[i] = loop_new(NULL);
		task_spawn_on(loops[i], "test", thread_main_task, (void *)(uintptr_t)i, NULL);
		assert_int_equal(pthread_create(&threads[i], NULL, run_loop, loops[i]), 0);
	}
	while (ready < LOOPS)
		usleep(1000);
	dns_resolver_use(resolver, &upstream.addr, 1);
	while (dns_resolver_busy(resolver) > 0 || !dns_resolver_is_set(resolver))
		usleep(1000);
	usleep(10000);
	ready++;
	/* The second is a port where nobody is. */
	both[0] = both[1] = upstream.addr;
	net_addr_set_port(&both[1], 1);
	while (done < LOOPS) {
		static unsigned turn;

		dns_resolver_use(resolver, both, 1 + turn++ % 2);
		read_state();
		usleep(500);
	}
	done++;
	for (unsigned i = 0; i < LOOPS; i++) {
		pthread_join(threads[i], NULL);
		assert_null(loop_free(loops[i]));
	}
	assert_int_equal(ended, LOOPS);
	assert_null(dns_resolver_free(resolver));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

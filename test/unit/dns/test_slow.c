/*
 * Upstreams that manage a hundred questions a second and are asked sixty, with a stall in between:
 * whoever asks must not drive them into the ground. Everything is on one loop; the upstream takes
 * its questions one after the other out of its socket, as a busy server does.
 */
#include "resolver_test.h"

#define RATE    60
#define SECONDS 8
#define STALL_S 2

struct crowd {
	unsigned asked[SECONDS], answered[SECONDS];
};
struct one {
	struct dns_waiter w;
	unsigned *answered;
};

static void on_answer(struct dns_waiter *w, const struct dns_result *result)
{
	struct one *one = container_of(w, struct one, w);

	*one->answered += result->answer != NULL;
	mem_free(one);
}

/* rate names a second, each for the first time. */
static void ask_for_seconds(struct stage *s, struct crowd *crowd, unsigned rate)
{
	uint64_t begun_ms = loop_now_ms();
	unsigned n = 0, second;
	bool stalled = false;

	while ((second = (unsigned)((loop_now_ms() - begun_ms) / 1000)) < SECONDS) {
		struct dns_question q;
		char name[40];

		if (second == STALL_S && !stalled) {
			stalled = true;
			s->u[0].script = STALLS;
		}
		for (; n < (loop_now_ms() - begun_ms) * rate / 1000; n++) {
			struct one *one = mem_new(struct one);

			snprintf(name, sizeof(name), "n%u.example.de", n);
			q = dns_question_of(name, DNS_TYPE_A);
			one->w.fn = on_answer;
			one->answered = &crowd->answered[second];
			crowd->asked[second]++;
			assert_int_equal(dns_wait(s->r, &q, 0, &one->w), 0);
		}
		task_sleep(5);
	}
	/* Everybody hears something. */
	task_sleep(DNS_ANSWER_MS + 200);
}

static void recovers(struct stage *s)
{
	struct crowd crowd = { 0 };
	unsigned asked = 0;

	s->u[0].probe = s->u[1].probe = BUSY;
	ask_for_seconds(s, &crowd, RATE);
	for (unsigned i = 0; i < SECONDS; i++) {
		print_message("second %u: %u of %u\n", i, crowd.answered[i], crowd.asked[i]);
		asked += crowd.asked[i];
	}
	/* Copies are few, and none are sent to whoever is only late. */
	print_message("%u questions, sent %u times\n", asked, s->u[0].asked + s->u[1].asked);
	assert_true(s->u[0].asked + s->u[1].asked <= s->n * (asked + asked / 4));
	/* All is well again a few seconds after the stall. */
	for (unsigned i = SECONDS - 2; i < SECONDS; i++)
		assert_true(crowd.answered[i] >= crowd.asked[i] - crowd.asked[i] / 10);
}

static void test_a_stall(void **state)
{
	(void)state;
	stage_run(recovers, 1, BUSY, BUSY);
	stage_run(recovers, 2, BUSY, BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

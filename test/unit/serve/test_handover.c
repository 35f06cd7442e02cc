/* What one program hands to the next: what was written is read, and what is damaged is refused. */
#include "../unit.h"
#include "base/mem.h"
#include "serve/handover_state.h"

static struct handover whole(void)
{
	struct handover h = { .settings = (char *)"threads = 1\n",
		.control = 7,
		.control_path = (char *)"/run/x.sock",
		.snapshot = 8,
		.names = -1,
		.served = 9,
		.children = { { .pid = 4711, .channel = 10, .ready = true },
			{ .pid = 4712, .channel = -1, .draining = true } },
		.children_n = 2,
		.restarts = 3,
		.started_at = 1700000000,
		.asker = 4711,
		.tag = 5 };

	memset(&h.tickets, 0x5a, sizeof(h.tickets));
	return h;
}

static int count_fds(int fd)
{
	static int sum;

	sum += fd;
	return fd < 0 ? -sum : 0;
}

static void test_back_as_it_was(void **state)
{
	static struct handover h, back;
	struct buf text = BUF_INIT(HANDOVER_STATE_MAX);

	h = whole();
	handover_encode(&h, &text);
	assert_int_equal(handover_decode(buf_span(&text), &back), 0);
	assert_string_equal(back.settings, h.settings);
	assert_string_equal(back.control_path, h.control_path);
	assert_int_equal(back.control, 7);
	assert_int_equal(back.snapshot, 8);
	assert_int_equal(back.names, -1);
	assert_int_equal(back.served, 9);
	assert_int_equal(back.children_n, 2);
	assert_int_equal(back.children[1].pid, 4712);
	assert_true(back.children[0].ready && back.children[1].draining);
	assert_memory_equal(&back.tickets, &h.tickets, sizeof(h.tickets));
	assert_int_equal(handover_each_fd(&back, count_fds), 0);
	handover_done(&back);
	buf_done(&text);
}

/* Of a program that knew less: what it did not hand over is not there. */
static void test_an_older_program(void **state)
{
	static struct handover h, back;
	struct buf text = BUF_INIT(HANDOVER_STATE_MAX);
	char *served;

	h = whole();
	handover_encode(&h, &text);
	served = strstr(buf_text(&text), "\"served\"");
	assert_non_null(served);
	served[1] = 'x';
	assert_int_equal(handover_decode(buf_span(&text), &back), 0);
	assert_int_equal(back.served, -1);
	handover_done(&back);
	buf_done(&text);
}

static void test_damaged(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "null", "{\"version\":1}", "{\"version\":2}",
		"{\"version\":\"1\"}" };
	static struct handover h, back;
	struct buf text = BUF_INIT(HANDOVER_STATE_MAX);

	for (size_t i = 0; i < array_len(bad); i++) {
		assert_int_equal(handover_decode(span_of(bad[i]), &back), -EINVAL);
		handover_done(&back);
	}
	h = whole();
	handover_encode(&h, &text);
	/* Cut anywhere. */
	for (size_t n = 0; n < text.n; n += 7) {
		assert_int_equal(handover_decode(span_make(text.p, n), &back), -EINVAL);
		handover_done(&back);
	}
	/* Nested as deep as its length allows. */
	buf_reset(&text);
	for (unsigned i = 0; i < 100000; i++)
		buf_add_char(&text, '[');
	assert_int_equal(handover_decode(buf_span(&text), &back), -EINVAL);
	handover_done(&back);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_as_it_was),
		cmocka_unit_test(test_an_older_program),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

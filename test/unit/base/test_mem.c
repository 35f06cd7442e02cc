/* Memory: what is promised about zero sizes, zeroing, and what ends the process. */
#include "../unit.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/mem.h"

static void test_zero_sizes(void **state)
{
	_cleanup_(mem_freep) char *a = mem_alloc(0);
	_cleanup_(mem_freep) char *b = mem_zalloc(0, 8);
	_cleanup_(mem_freep) char *c = mem_resize(NULL, 0, 8);

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
}

static void test_zalloc_zeroes(void **state)
{
	_cleanup_(mem_freep) unsigned char *p = mem_zalloc(100, 3);

	for (size_t i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
}

static void test_copy(void **state)
{
	static const int numbers[] = { 1, 2, 3 };
	int *copy = mem_copy(numbers, 3, sizeof(*numbers));

	assert_memory_equal(copy, numbers, sizeof(numbers));
	mem_free(copy);
	mem_free(mem_copy(NULL, 0, sizeof(*numbers)));
}

static void test_resize_keeps(void **state)
{
	_cleanup_(mem_freep) char *p = mem_text("kept");

	p = mem_resize(p, 4000, 1);
	assert_string_equal(p, "kept");
}

static void test_textf(void **state)
{
	_cleanup_(mem_freep) char *p = mem_textf("%s-%d", "port", 443);

	assert_string_equal(p, "port-443");
	assert_null(mem_free(NULL));
}

/* The signal that ends a child that runs fn; 0 if it returns. */
static int signal_of(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void broken_invariant(void)
{
	must(1 + 1 == 3);
}

static void overflowing_resize(void)
{
	volatile size_t many = SIZE_MAX / 4 + 2; /* times 4 it would wrap to 4 */

	mem_free(mem_resize(NULL, many, 4));
}

static void kept_invariant(void)
{
	must(1 + 1 == 2);
}

static void test_what_ends_the_process(void **state)
{
	assert_int_equal(signal_of(broken_invariant), SIGABRT);
	assert_int_equal(signal_of(overflowing_resize), SIGABRT);
	assert_int_equal(signal_of(kept_invariant), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_sizes),
		cmocka_unit_test(test_zalloc_zeroes),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_resize_keeps),
		cmocka_unit_test(test_textf),
		cmocka_unit_test(test_what_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

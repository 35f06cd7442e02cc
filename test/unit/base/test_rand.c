/* Randomness: ranges, and that neither threads nor forks share a sequence. */
#include "../unit.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/rand.h"

static void test_bytes(void **state)
{
	char a[300] = { 0 }, b[300] = { 0 };

	rand_bytes(a, sizeof(a));
	rand_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	rand_bytes(NULL, 0);
}

static void test_below(void **state)
{
	unsigned seen[10] = { 0 };

	for (int i = 0; i < 100000; i++) {
		uint64_t v = rand_below(10);

		assert_in_range(v, 0, 9);
		seen[v]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 9000, 11000);
	assert_int_equal(rand_below(1), 0);
}

static void *draw(void *ret)
{
	*(uint64_t *)ret = rand_fast();
	return NULL;
}

static void test_threads_differ(void **state)
{
	uint64_t a, b;
	pthread_t t;

	draw(&a);
	assert_int_equal(pthread_create(&t, NULL, draw, &b), 0);
	pthread_join(t, NULL);
	assert_true(a != b);
}

static void test_forks_differ(void **state)
{
	uint64_t mine, theirs = 0;
	int fds[2];
	pid_t pid;

	rand_fast();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		draw(&theirs);
		_exit(write(fds[1], &theirs, sizeof(theirs)) != sizeof(theirs));
	}
	draw(&mine);
	assert_int_equal(read(fds[0], &theirs, sizeof(theirs)), sizeof(theirs));
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	assert_true(mine != theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_threads_differ),
		cmocka_unit_test(test_forks_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

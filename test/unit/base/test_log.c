/* The log: whole lines from many threads while the sink changes, and sinks that fail. */
#include "../unit.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"

static char dir[] = "/tmp/torhaus-log-XXXXXX";
static char path[64], moved[64];

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	return 0;
}

static int fresh_file(void **state)
{
	unlink(path);
	unlink(moved);
	return log_open(path);
}

static int teardown(void **state)
{
	unlink(path);
	unlink(moved);
	return rmdir(dir);
}

/* The file's text, in memory good until the next call. */
static char *content(const char *file)
{
	static char text[1 << 20];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

/* The line without its time, which is checked for its shape only. */
static const char *after_time(const char *line)
{
	assert_true(strlen(line) > 26);
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[25], ' ');
	return line + 26;
}

static void test_event(void **state)
{
	log_event(LOG_LEVEL_INFO, "web", "listening", "address=%s", "127.0.0.1:80");
	assert_string_equal(after_time(content(path)), "web listening address=127.0.0.1:80\n");
}

static void test_event_without_details(void **state)
{
	log_event(LOG_LEVEL_INFO, "serve", "ready", "%s", "");
	assert_string_equal(after_time(content(path)), "serve ready \n");
}

static void test_levels(void **state)
{
	log_event(LOG_LEVEL_DEBUG, "web", "detail", "x=1");
	assert_string_equal(content(path), "");
	log_level_max(LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_DEBUG, "web", "detail", "x=1");
	log_level_max(LOG_LEVEL_INFO);
	assert_string_equal(after_time(content(path)), "web detail x=1\n");
}

static void test_fault(void **state)
{
	struct fault f;

	fault_set(&f, FAULT_LISTEN_FAILED);
	fault_fact(&f, "address", "%s", "[::]:443");
	fault_fact(&f, "error", "%s", "Address already in use");
	log_fault(LOG_LEVEL_ERROR, "web", "listen-failed", &f);
	assert_non_null(strstr(content(path),
		" web listen-failed code=LISTEN-FAILED address=[::]:443 "
		"error=\"Address already in use\"\n"
		"  cause:  The address [::]:443 cannot be listened on: Address already in use.\n"
		"  remedy: "));
	log_lang(FAULT_DE);
	log_fault(LOG_LEVEL_ERROR, "web", "listen-failed", &f);
	log_lang(FAULT_EN);
	assert_non_null(strstr(content(path), "\n  Abhilfe: Nachsehen"));
}

static void test_no_fault(void **state)
{
	log_fault(LOG_LEVEL_ERROR, "web", "odd", NULL);
	assert_string_equal(after_time(content(path)), "web odd\n");
}

static void test_a_line_stays_a_line(void **state)
{
	char *text;

	log_event(LOG_LEVEL_INFO, "web", "odd", "value=%s", "a\nfake line\x1b[2J");
	text = content(path);
	assert_int_equal(strchr(text, '\n') - text, strlen(text) - 1);
	assert_null(strchr(text, '\x1b'));
}

static void test_long_lines_are_cut(void **state)
{
	_cleanup_(mem_freep) char *big = mem_zalloc(10001, 1);
	char *text;

	memset(big, 'x', 10000);
	log_event(LOG_LEVEL_INFO, "web", "big", "value=%s", big);
	text = content(path);
	assert_int_equal(strlen(text), 4096);
	assert_int_equal(text[4095], '\n');
}

static void test_values(void **state)
{
	char big[1000];

	memset(big, 'x', sizeof(big));
	assert_string_equal(log_value(SPAN("plain")), "plain");
	assert_string_equal(log_value(SPAN("")), "\"\"");
	assert_string_equal(log_value(SPAN("two words")), "\"two words\"");
	assert_string_equal(log_value(SPAN("say \"x\"")), "\"say \\x22x\\x22\"");
	assert_string_equal(log_value(SPAN("back\\slash")), "back\\x5cslash");
	assert_string_equal(log_value(SPAN("\r\n")), "\\x0d\\x0a");
	assert_int_equal(strlen(log_value(span_make(big, sizeof(big)))), 400);
	big[0] = ' ';
	assert_int_equal(strlen(log_value(span_make(big, sizeof(big)))), 402);
}

static void test_sixteen_values_in_one_event(void **state)
{
	const char *first = log_value(SPAN("first"));

	for (int i = 0; i < 15; i++)
		log_value(SPAN("other"));
	assert_string_equal(first, "first");
}

static void test_reopen_follows_the_name(void **state)
{
	log_event(LOG_LEVEL_INFO, "web", "one", "n=1");
	assert_int_equal(rename(path, moved), 0);
	log_event(LOG_LEVEL_INFO, "web", "two", "n=2");
	assert_int_equal(log_reopen(), 0);
	log_event(LOG_LEVEL_INFO, "web", "three", "n=3");
	assert_string_equal(after_time(content(path)), "web three n=3\n");
	assert_non_null(strstr(content(moved), "web two n=2\n"));
}

static void test_bad_sink_keeps_the_old(void **state)
{
	assert_int_equal(log_open("/nonexistent/folder/log"), -ENOENT);
	log_event(LOG_LEVEL_INFO, "web", "still", "here=1");
	assert_string_equal(after_time(content(path)), "web still here=1\n");
	assert_int_equal(log_reopen(), 0);
}

static void test_full_disk_is_counted(void **state)
{
	uint64_t before = log_lost();

	assert_int_equal(log_open("/dev/full"), 0);
	log_event(LOG_LEVEL_INFO, "web", "lost", "n=1");
	log_event(LOG_LEVEL_INFO, "web", "lost", "n=2");
	assert_int_equal(log_open(path), 0);
	assert_int_equal(log_lost(), before + 2);
}

/* More than a FIFO and the buffer behind it take. */
static unsigned log_until_lost(void)
{
	uint64_t before = log_lost();
	unsigned n = 0;

	while (log_lost() == before)
		log_event(LOG_LEVEL_INFO, "web", "waits", "n=%06u", n++);
	return n - 1;
}

static size_t read_all(int fd, char *text, size_t room)
{
	size_t n = 0;
	ssize_t got;

	for (;;) {
		log_flush();
		got = read(fd, text + n, room - n - 1);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return n;
}

/* Nobody waits for a reader, not even at the start; what it missed comes in order, and the rest is
 * told. */
static void test_a_fifo_without_a_reader(void **state)
{
	static char text[1 << 20];
	unsigned kept, seen = 0;
	char line[32];
	int fd;

	log_flush(); /* of the tests before */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(log_open(path), 0);
	kept = log_until_lost();
	assert_true(kept > 1000);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	read_all(fd, text, sizeof(text));
	for (char *at = text; snprintf(line, sizeof(line), " n=%06u\n", seen), (at = strstr(at, line)); seen++)
		at++;
	assert_int_equal(seen, kept);
	assert_non_null(strstr(text, " log events-lost events=1\n"));
	log_event(LOG_LEVEL_INFO, "web", "again", "n=1");
	assert_true(read_all(fd, text, sizeof(text)) > 0);
	assert_string_equal(after_time(text), "web again n=1\n");
	close(fd);
}

/* stderr into the file for as long as fn runs. */
static void with_stderr_in_file(void (*fn)(void))
{
	int old = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(old >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	fn();
	dup2(old, STDERR_FILENO);
	close(old);
	close(fd);
}

static void log_to_journald(void)
{
	struct fault f;

	fault_set(&f, FAULT_LISTEN_FAILED);
	assert_int_equal(log_open("journald"), 0);
	log_event(LOG_LEVEL_WARNING, "web", "odd", "n=1");
	log_fault(LOG_LEVEL_ERROR, "web", "bad", &f);
	assert_int_equal(log_open("stderr"), 0);
	log_event(LOG_LEVEL_INFO, "web", "plain", "n=2");
}

static void test_journald(void **state)
{
	char *text;

	with_stderr_in_file(log_to_journald);
	text = content(path);
	assert_int_equal(strncmp(text, "<4>web odd n=1\n<3>web bad code=LISTEN-FAILED\n", 45), 0);
	assert_non_null(strstr(text, "\n<3>  cause:  The address <address> "));
	assert_non_null(strstr(text, "\n<3>  remedy: "));
	assert_null(strstr(text, "<6>"));
	assert_non_null(strstr(text, " web plain n=2\n"));
}

#define THREADS 4
#define EVENTS  400

static void *chatter(void *number)
{
	for (int i = 0; i < EVENTS; i++) {
		log_event(LOG_LEVEL_INFO, "web", "chatter", "thread=%d event=%d end", *(int *)number, i);
		if (i % 50 == 0)
			log_reopen();
	}
	return NULL;
}

static unsigned whole_lines(char *text)
{
	unsigned lines = 0;

	for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		int thread, event, ended = 0;

		*end = '\0';
		sscanf(after_time(text), "web chatter thread=%d event=%d end%n", &thread, &event, &ended);
		assert_int_equal(ended, strlen(text) - 26);
		lines++;
	}
	return lines;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(whole_lines(content(path)), THREADS * EVENTS);
}

#define on_file(test) cmocka_unit_test_setup(test, fresh_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_file(test_event),
		on_file(test_event_without_details),
		on_file(test_levels),
		on_file(test_fault),
		on_file(test_no_fault),
		on_file(test_a_line_stays_a_line),
		on_file(test_long_lines_are_cut),
		on_file(test_values),
		on_file(test_sixteen_values_in_one_event),
		on_file(test_reopen_follows_the_name),
		on_file(test_bad_sink_keeps_the_old),
		on_file(test_full_disk_is_counted),
		on_file(test_a_fifo_without_a_reader),
		on_file(test_journald),
		on_file(test_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

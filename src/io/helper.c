/*
 * The pool of helper threads: one queue, one mutex.
 *
 * A job of helper_run() lies on the stack of the waiting task, one of helper_post() on the
 * heap. The end of a job is told under the mutex, so that a loop is not freed between its
 * message and its wake-up. Jobs take milliseconds; a finer lock would gain nothing.
 *
 * Helper threads block all signals: those are the business of the thread that started us.
 */
#include <errno.h>
#include <signal.h>
#include "io/helper.h"
#include "io/io_priv.h"

#define THREADS_MAX 64
#define JOBS_MAX    10000

struct job {
	struct list link;
	helper_fn *fn;
	void *arg;
	bool owned; /* by the queue, which frees it; nobody waits */
	bool done;
	struct task_cond on_done;
};

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t on_job;
	struct list jobs;
	unsigned jobs_n;
	bool stopping;
	pthread_t threads[THREADS_MAX];
	unsigned threads_n;
} pool = { .mutex = PTHREAD_MUTEX_INITIALIZER, .on_job = PTHREAD_COND_INITIALIZER };

/* The next job; NULL once the pool stops and none is left. Mutex held. */
static struct job *take_job(void)
{
	while (list_empty(&pool.jobs)) {
		if (pool.stopping)
			return NULL;
		pthread_cond_wait(&pool.on_job, &pool.mutex);
	}
	pool.jobs_n--;
	return container_of(list_pop(&pool.jobs), struct job, link);
}

static void *helper_main(void *arg)
{
	struct job *job;

	(void)arg;
	pthread_mutex_lock(&pool.mutex);
	while ((job = take_job())) {
		pthread_mutex_unlock(&pool.mutex);
		job->fn(job->arg);
		if (job->owned)
			job = mem_free(job);
		pthread_mutex_lock(&pool.mutex);
		if (job) {
			job->done = true;
			task_cond_broadcast(&job->on_done);
		}
	}
	pthread_mutex_unlock(&pool.mutex);
	return NULL;
}

void helper_start(unsigned threads)
{
	sigset_t all, old;

	must(pool.threads_n == 0 && threads > 0);
	list_init(&pool.jobs);
	pool.stopping = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (pool.threads_n < threads && pool.threads_n < THREADS_MAX &&
		pthread_create(&pool.threads[pool.threads_n], NULL, helper_main, NULL) == 0)
		pool.threads_n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* Fewer than asked for do, none does not. */
	must(pool.threads_n > 0);
}

void helper_stop(void)
{
	pthread_mutex_lock(&pool.mutex);
	pool.stopping = true;
	pthread_cond_broadcast(&pool.on_job);
	pthread_mutex_unlock(&pool.mutex);
	while (pool.threads_n > 0)
		must(pthread_join(pool.threads[--pool.threads_n], NULL) == 0);
}

/* Mutex held. */
static int push_job(struct job *job)
{
	must(pool.jobs.next);
	if (pool.jobs_n >= JOBS_MAX || pool.stopping)
		return -EAGAIN;
	pool.jobs_n++;
	list_push_back(&pool.jobs, &job->link);
	pthread_cond_signal(&pool.on_job);
	return 0;
}

int helper_run(helper_fn *fn, void *arg)
{
	struct job job = { .fn = fn, .arg = arg };
	int r;

	must(task_self());
	task_cond_init(&job.on_done);
	pthread_mutex_lock(&pool.mutex);
	r = push_job(&job);
	while (r == 0 && !job.done)
		task_cond_wait_woken(&job.on_done, &pool.mutex);
	pthread_mutex_unlock(&pool.mutex);
	return r;
}

int helper_post(helper_fn *fn, void *arg)
{
	struct job *job = mem_new(struct job);
	int r;

	*job = (struct job){ .fn = fn, .arg = arg, .owned = true };
	pthread_mutex_lock(&pool.mutex);
	r = push_job(job);
	pthread_mutex_unlock(&pool.mutex);
	if (r < 0)
		mem_free(job);
	return r;
}

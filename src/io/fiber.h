/*
 * A fiber: a stack and the place where its code is suspended. Internal to io/.
 *
 * Stacks are mapped with a guard page below. MADV_GUARD_INSTALL (Linux 6.13) makes one
 * without splitting the mapping, so neighbouring stacks stay one VMA and tens of thousands
 * of tasks fit under vm.max_map_count; elsewhere mprotect() does it at the price of two.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif

/* Frames of instrumented code are several times as big. */
#if defined(FIBER_ASAN) || defined(FIBER_TSAN)
#define FIBER_STACK_SIZE (256 * 1024)
#else
#define FIBER_STACK_SIZE (64 * 1024)
#endif

struct fiber {
	void *sp;     /* while suspended */
	char *bottom; /* of the stack, above the guard page */
	size_t size;
#ifdef FIBER_ASAN
	void *fake_stack;
#endif
#ifdef FIBER_TSAN
	void *tsan;
#endif
};

/* Maps a guarded stack of at least FIBER_STACK_SIZE bytes and returns room for extra bytes
 * at its top, which lie outside the part the code runs on (where a struct task lives);
 * NULL with errno if the kernel refuses. */
void *fiber_map(size_t extra, struct fiber *ret);
void fiber_unmap(struct fiber *f);
/* main_fn runs on f's stack when f is first switched to. It never returns. */
void fiber_prepare(struct fiber *f, void (*main_fn)(void));
/* The calling thread's own stack, before it first switches to another. */
void fiber_init_thread(struct fiber *f);

/* Suspends from, which is running, and continues to. last: from's frames hold nothing that
 * is needed again. */
void fiber_switch(struct fiber *from, struct fiber *to, bool last);
/* First call of main_fn: completes the switch that started it; from is who switched. */
void fiber_started(struct fiber *from);

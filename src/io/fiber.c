/*
 * Stacks, and the switch between them.
 *
 * A switch is a function call as far as the compiler knows, so only the registers that a
 * callee must preserve are kept, on the stack that is left. The floating-point control
 * words are not: nothing here changes them. The return is an indirect jump, not `ret`,
 * whose prediction would always be that of another stack.
 *
 * The sanitizers must be told: AddressSanitizer which stack is in use (else it takes
 * another stack's frames for overflows), ThreadSanitizer which fiber runs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/mem.h"
#include "io/fiber.h"

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Saves the callee's registers and the stack pointer to *save_sp, then loads those of load_sp. */
void fiber_swap(void **save_sp, void *load_sp);

#if defined(__x86_64__)
/* Words that a suspended stack holds at its sp: r15 r14 r13 r12 rbx rbp, address. */
#define SAVED_WORDS  7
#define ADDRESS_WORD 6
__asm__(".pushsection .text\n"
	".globl fiber_swap\n"
	".hidden fiber_swap\n"
	".type fiber_swap,@function\n"
	".p2align 4\n"
	"fiber_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	popq %rcx\n"
	"	jmpq *%rcx\n"
	".size fiber_swap,.-fiber_swap\n"
	".popsection\n");
#elif defined(__aarch64__)
/* x19 ... x28, x29, x30 (the address), d8 ... d15. */
#define SAVED_WORDS  20
#define ADDRESS_WORD 11
__asm__(".pushsection .text\n"
	".globl fiber_swap\n"
	".hidden fiber_swap\n"
	".type fiber_swap,%function\n"
	".p2align 4\n"
	"fiber_swap:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size fiber_swap,.-fiber_swap\n"
	".popsection\n");
#else
#error "no stack switch for this processor: add fiber_swap above"
#endif

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int guard_install(void *page, size_t n)
{
	if (madvise(page, n, MADV_GUARD_INSTALL) == 0)
		return 0;
	return mprotect(page, n, PROT_NONE);
}

void *fiber_map(size_t extra, struct fiber *ret)
{
	size_t guard = page_size(), room = FIBER_STACK_SIZE;
	char *p;

	/* MAP_STACK also keeps transparent huge pages away. */
	p = mmap(NULL, guard + room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
		-1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (guard_install(p, guard) < 0) {
		munmap(p, guard + room);
		return NULL;
	}
	extra = (extra + 63) & ~(size_t)63;
	*ret = (struct fiber){ .bottom = p + guard, .size = room - extra };
	return ret->bottom + ret->size;
}

void fiber_unmap(struct fiber *f)
{
	size_t guard = page_size();
	char *bottom = f->bottom;

#ifdef FIBER_ASAN
	__asan_unpoison_memory_region(bottom, FIBER_STACK_SIZE);
#endif
#ifdef FIBER_TSAN
	__tsan_destroy_fiber(f->tsan);
#endif
	/* f itself usually lies in the mapping. */
	must(munmap(bottom - guard, guard + FIBER_STACK_SIZE) == 0);
}

void fiber_prepare(struct fiber *f, void (*main_fn)(void))
{
	void **top = (void **)(f->bottom + f->size);

	/* main_fn finds the alignment of a called function and, where a return address is on
	 * the stack, NULL: debuggers end their walk there. */
#if defined(__x86_64__)
	*--top = NULL;
#endif
	top -= SAVED_WORDS;
	for (unsigned i = 0; i < SAVED_WORDS; i++)
		top[i] = NULL;
	top[ADDRESS_WORD] = (void *)(uintptr_t)main_fn;
	f->sp = top;
#ifdef FIBER_TSAN
	f->tsan = __tsan_create_fiber(0);
#endif
}

void fiber_init_thread(struct fiber *f)
{
	*f = (struct fiber){ 0 };
#ifdef FIBER_TSAN
	f->tsan = __tsan_get_current_fiber();
#endif
}

void fiber_switch(struct fiber *from, struct fiber *to, bool last)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(last ? NULL : &from->fake_stack, to->bottom, to->size);
	if (last)
		from->fake_stack = NULL;
#endif
#ifdef FIBER_TSAN
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	(void)last;
	fiber_swap(&from->sp, to->sp);
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}

void fiber_started(struct fiber *from)
{
#ifdef FIBER_ASAN
	const void *bottom;

	/* The thread's own stack: this is how one learns where it is. */
	__sanitizer_finish_switch_fiber(NULL, &bottom, &from->size);
	from->bottom = (char *)(uintptr_t)bottom;
#endif
	(void)from;
}

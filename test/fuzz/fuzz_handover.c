/* The state of a hand-over: nothing, or a state that says the same when it is written again. */
#include "base/mem.h"
#include "serve/handover_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_number(int fd)
{
	return fd >= 0 ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct handover first, again;
	struct buf text = BUF_INIT(HANDOVER_STATE_MAX);

	if (handover_decode(span_make(data, size), &first) == 0) {
		must(handover_each_fd(&first, is_number) == 0);
		must(first.children_n <= HANDOVER_CHILDREN_MAX && first.listeners.n <= LISTENERS_MAX);
		handover_encode(&first, &text);
		must(buf_error(&text) == 0);
		must(handover_decode(buf_span(&text), &again) == 0);
		must(again.control == first.control && again.served == first.served);
		must(again.children_n == first.children_n && again.listeners.n == first.listeners.n);
		must(strcmp(again.settings, first.settings) == 0);
		handover_done(&again);
	}
	handover_done(&first);
	buf_done(&text);
	return 0;
}

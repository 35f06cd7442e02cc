/*
 * Lines that are objects of JSON: of `journalctl -o json` (also json-sse and json-seq), and of
 * docker's files (json-file).
 *
 *   {"__REALTIME_TIMESTAMP":"1704442461123456","SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"12",
 *      "MESSAGE":"connect from …"}
 *   {"log":"Jan  5 09:14:21 mail postfix/smtpd[12]: connect from …\n","stream":"stdout",
 *      "time":"2024-01-05T08:14:21.5Z"}
 *
 * A message with bytes that are no UTF-8 is an array of numbers in the journal.
 */
#include <jansson.h>
#include "logs/logs_priv.h"

static struct span text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? span_make(json_string_value(value), json_string_length(value)) : SPAN("");
}

static struct span message_of(const json_t *object, char bytes[JOURNAL_MESSAGE_MAX])
{
	const json_t *value = json_object_get(object, "MESSAGE");
	size_t n = 0;

	if (!json_is_array(value))
		return text_of(object, "MESSAGE");
	for (size_t i = 0; i < json_array_size(value) && n < JOURNAL_MESSAGE_MAX; i++)
		bytes[n++] = (char)json_integer_value(json_array_get(value, i));
	return span_make(bytes, n);
}

static void on_entry(struct logs *l, const json_t *entry)
{
	char bytes[JOURNAL_MESSAGE_MAX];
	struct span message = message_of(entry, bytes), program = text_of(entry, "SYSLOG_IDENTIFIER");
	struct span pid_text = text_of(entry, "SYSLOG_PID");
	struct stamp stamp = { .form = STAMP_SECONDS };
	uint64_t us, pid = 0;

	if (span_to_u64(text_of(entry, "__REALTIME_TIMESTAMP"), &us) < 0) {
		line_is_foreign(l);
		return;
	}
	stamp.at = (int64_t)(us / 1000000);
	if (program.n == 0)
		program = text_of(entry, "_COMM");
	span_to_u64(pid_text.n > 0 ? pid_text : text_of(entry, "_PID"), &pid);
	line_message(l, &stamp, program, (uint32_t)pid, message);
}

/* What the container wrote has a time of its own, as a rule. */
static void on_docker(struct logs *l, const json_t *entry)
{
	struct span rest = text_of(entry, "log"), time = text_of(entry, "time");
	struct stamp stamp, own;

	while (rest.n > 0 && (rest.p[rest.n - 1] == '\n' || rest.p[rest.n - 1] == '\r'))
		rest.n--;
	if (stamp_take_any(l, &rest, &own))
		line_dated(l, &own, rest, 1);
	else if (time.n >= 19 && (stamp = (struct stamp){ .text = time, .form = STAMP_RFC3339 }).form)
		line_dated(l, &stamp, rest, 1);
	else
		line_is_foreign(l);
}

bool journal_line(struct logs *l, struct span line)
{
	json_t *entry;

	skip(&line, SPAN("\x1e"));
	skip(&line, SPAN("data: "));
	if (!span_starts(line, SPAN("{")))
		return false;
	entry = json_loadb(line.p, line.n, JSON_DISABLE_EOF_CHECK, NULL);
	if (!json_is_object(entry)) {
		json_decref(entry);
		return false;
	}
	if (json_object_get(entry, "log"))
		on_docker(l, entry);
	else
		on_entry(l, entry);
	l->last.program.n = l->last.message.n = 0; /* their text goes */
	json_decref(entry);
	return true;
}

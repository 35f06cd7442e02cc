/*
 * Bad arguments, for every verb of the table: each is refused with status 2 before anything is
 * done, and what is wrong is named. A verb that is added is tried here without a line more.
 */
#include "../unit.h"
#include <ctype.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/cli_priv.h"

#define WORDS_MAX 300
/* Below what is no folder: nobody can make it, root neither. */
#define NOWHERE "/dev/null"

static struct cli cli;
static char *out_text, *err_text;
static size_t out_n, err_n;

static int run(const struct cli_verb *verb, char **argv, int argc)
{
	int status;

	free(out_text);
	free(err_text);
	cli = (struct cli){ .program = "torhaus", .config = NOWHERE "/torhaus.conf", .verb = verb };
	cli.out = open_memstream(&out_text, &out_n);
	cli.err = open_memstream(&err_text, &err_n);
	status = verb->run(&cli, argc, argv);
	fclose(cli.out);
	fclose(cli.err);
	return status;
}

/* Is refused as wrong usage, in words that hold `named`, under the verb's own name. */
static void is_refused(const struct cli_verb *verb, char **argv, int argc, const char *named)
{
	int status = run(verb, argv, argc);

	/* What only programs call may say it as it likes. */
	if (status == CLI_USAGE && !verb->help_en)
		return;
	if (status != CLI_USAGE || !strstr(err_text, named) || !strstr(err_text, verb->name))
		fail_msg("torhaus %s %s…: status %d, \"%s\" on stderr", verb->name, argc > 0 ? argv[0] : "", status,
			err_text);
	assert_string_equal(out_text, "");
}

static void unknown_options(void **state)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		is_refused(v, (char *[]){ "--no-such-option", NULL }, 1, "--no-such-option");
		is_refused(v, (char *[]){ "--no-such-option=1", NULL }, 1, "--no-such-option");
		is_refused(v, (char *[]){ "--", "--=", NULL }, 2, "--");
	}
}

static void options_without_their_value(void **state)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		for (const struct cli_option *o = v->options; o && o->name; o++) {
			char *name = (char *)o->name;
			_cleanup_(mem_freep) char *valued = mem_textf("%s=yes", name);

			if (o->value)
				is_refused(v, (char *[]){ name, NULL }, 1, name);
			else
				is_refused(v, (char *[]){ valued, NULL }, 1, name);
			if (!o->value && !o->repeat)
				is_refused(v, (char *[]){ name, name, NULL }, 2, name);
		}
}

/* Does the usage line have words that are no options and no single values of options? "NAME",
 * "--with FILE…" */
static bool takes_words(const struct cli_verb *v)
{
	bool is_value = false;

	for (const char *p = v->args; *p; p++) {
		if (*p == '-' && p[1] == '-') {
			p += strspn(p, "-abcdefghijklmnopqrstuvwxyz0123456789");
			is_value = *p == ' ' && isupper((unsigned char)p[1]);
			if (!*p)
				break;
		} else if (isalpha((unsigned char)*p)) {
			p += strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-=:/|");
			if (!is_value || strncmp(p, "…", strlen("…")) == 0)
				return true;
			is_value = false;
			p--;
		}
	}
	return false;
}

static void words_too_many(void **state)
{
	char *words[WORDS_MAX + 1] = { 0 };

	for (unsigned i = 0; i < WORDS_MAX; i++)
		words[i] = "word";
	for (const struct cli_verb *v = cli_verbs(); v->name; v++) {
		is_refused(v, words, WORDS_MAX, "");
		if (!takes_words(v))
			is_refused(v, words, 1, "word");
	}
}

/* Whatever else a verb wants: a file that is not there is never taken for an empty one. */
static void files_that_cannot_be_read(void **state)
{
	for (const struct cli_verb *v = cli_verbs(); v->name; v++)
		for (const struct cli_option *o = v->options; o && o->name; o++)
			if (o->value && (strstr(o->value, "FILE") || strstr(o->value, "DIR"))) {
				int status = run(v, (char *[]){ (char *)o->name, NOWHERE "/file", NULL }, 2);

				if (status == CLI_DONE || err_n == 0)
					fail_msg("torhaus %s %s: status %d without a word", v->name, o->name, status);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_options),
		cmocka_unit_test(options_without_their_value),
		cmocka_unit_test(words_too_many),
		cmocka_unit_test(files_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

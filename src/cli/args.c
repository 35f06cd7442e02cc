/* The options of a verb, by its table. */
#include <limits.h>
#include <string.h>
#include "base/fmt.h"
#include "cli/cli_priv.h"

#define NAME_MAX_       253
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

static const struct cli_option *find(const struct cli_option *options, struct span name)
{
	for (; options && options->name; options++)
		if (span_eq(span_of(options->name), name))
			return options;
	return NULL;
}

bool cli_is_near(struct span word, const char *name, unsigned *best)
{
	unsigned d = fmt_distance(word, span_of(name));

	/* Beyond a third of its letters a word is another one. */
	if (d >= *best || 3 * d > word.n)
		return false;
	*best = d;
	return true;
}

int cli_unknown_option(struct cli *cli, struct span name, const char *nearest)
{
	if (nearest)
		return cli_usage(cli, "there is no option %.*s; did you mean %s?",
			"es gibt keine Option %.*s; ist %s gemeint?", SPAN_ARG(name), nearest);
	return cli_usage(cli, "there is no option %.*s", "es gibt keine Option %.*s", SPAN_ARG(name));
}

static int unknown(struct cli *cli, struct span name)
{
	const char *nearest = NULL;
	unsigned best = UINT_MAX;

	for (const struct cli_option *o = cli->verb->options; o && o->name; o++)
		if (cli_is_near(name, o->name, &best))
			nearest = o->name;
	return cli_unknown_option(cli, name, nearest);
}

/* "--name", "--name=value", or "--name" "value": *at moves past what was taken. */
static int take_option(struct cli *cli, char **argv, int argc, int *at, struct cli_args *ret)
{
	struct span rest = span_of(argv[*at]), name;
	const struct cli_option *o;
	const char *value = "";

	span_cut(&rest, '=', &name);
	o = find(cli->verb->options, name);
	if (!o)
		return unknown(cli, name);
	if (!o->repeat && cli_arg(ret, o->name))
		return cli_usage(cli, "%s stands twice", "%s steht zweimal", o->name);
	if (o->value && rest.p)
		value = rest.p;
	else if (o->value && *at + 1 < argc)
		value = argv[++*at];
	else if (o->value || rest.p)
		return o->value ? cli_usage(cli, "%s needs a value", "%s braucht einen Wert", o->name)
				: cli_usage(cli, "%s takes no value", "%s nimmt keinen Wert", o->name);
	ret->v[ret->n].option = o;
	ret->v[ret->n++].value = value;
	return CLI_DONE;
}

int cli_args_parse(struct cli *cli, int argc, char **argv, unsigned rest_max, struct cli_args *ret)
{
	*ret = (struct cli_args){ 0 };
	for (int i = 0; i < argc; i++) {
		int status = CLI_DONE;

		if (ret->n == ARGS_MAX)
			return cli_usage(cli, "too many options", "zu viele Optionen");
		if (argv[i][0] == '-' && argv[i][1] == '-' && argv[i][2])
			status = take_option(cli, argv, argc, &i, ret);
		else if (ret->rest_n < rest_max)
			ret->rest[ret->rest_n++] = argv[i];
		else
			status = cli_usage(cli, "%s is one word too many", "%s ist ein Wort zu viel", argv[i]);
		if (status != CLI_DONE)
			return status;
	}
	return CLI_DONE;
}

const char *cli_arg(const struct cli_args *args, const char *option)
{
	const char *value = NULL;

	for (unsigned i = 0; i < args->n; i++)
		if (strcmp(args->v[i].option->name, option) == 0)
			value = args->v[i].value;
	return value;
}

bool cli_is_name(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n <= NAME_MAX_ && strspn(text, NAME_CHARACTERS) == n && text[0] != '.' && text[0] != '-' &&
		!strstr(text, "..");
}

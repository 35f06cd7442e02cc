/* A file that a verb was given. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli_priv.h"

#define CHUNK 65536

int cli_file_read(const char *path, struct buf *out)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	ssize_t n = 1;

	while (!error && n > 0) {
		char *room = buf_room(out, CHUNK);

		n = room ? read(fd, room, CHUNK) : -1;
		if (n < 0)
			error = room ? errno : EFBIG;
		else
			buf_grew(out, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	return -error;
}

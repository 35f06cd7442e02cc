/* What http/ keeps to itself: no comments needed, and its own folder may include it. */
#pragma once

int http_undocumented_but_private(int n);

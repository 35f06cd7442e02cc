/* A folder that nobody has given a place in the order. */
#include "base/text.h"

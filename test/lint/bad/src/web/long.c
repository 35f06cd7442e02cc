/* The self-test appends a function of 121 lines. */

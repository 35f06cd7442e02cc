/* Not what clang-format prints. */
int  web_format( int n ){ return n; }

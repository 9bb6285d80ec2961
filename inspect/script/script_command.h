/*
 * script_command: croft test promql FILE...
 */
#ifndef CROFT_INSPECT_SCRIPT_COMMAND_H
#define CROFT_INSPECT_SCRIPT_COMMAND_H

/* `args` behind "test". The exit status: 0 all is as expected, 1 something is not, 2 a bad command
   line or a file that cannot be read. */
int script_command_main(int count, char *const *args);

#endif

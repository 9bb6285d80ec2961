/*
 * serve: `croft serve`: puts the parts together, runs until a signal, takes them apart.
 *
 *     disk ─ store ─ maintenance
 *              ├──── ingest ──── routes ─ HTTP server
 *              └──── engine ─ query pool ─┘
 *
 * SIGTERM, SIGINT: stop accepting, answer what is under way, commit, exit 0. SIGHUP, or a change of
 * the configuration file: read it again and apply its limits.
 */
#ifndef CROFT_SERVER_SERVE_H
#define CROFT_SERVER_SERVE_H

/* Returns the exit status: 0 after a clean stop, 1 with one line on standard error when the server
   cannot start, 2 for a bad command line. */
int serve_main(int count, char *const *args);

#endif

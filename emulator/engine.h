/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine takes the turns of all devices, one at a time and round robin, in threads of its own.
 *
 * Doing so takes a token: whoever has it is the only one to run, and what turns share needs no
 * other lock. One thread has it nearly always. When its turn has to wait for a client
 * (engine_stall()), the token goes to another thread, which takes all other turns meanwhile; the
 * waiting one finishes its turn when it has the token back (engine_resume()). So a client that does
 * not answer holds up nothing but the turn that waits for it.
 */
#ifndef EMULATOR_ENGINE_H
#define EMULATOR_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#define ENGINE_TURNS 32u /* the most */

struct engine;

/*
 * engine_new() - @guest_cpus: virtual processors of the guest, which the pace of the engine depends
 * on (see pace_choose()); 0: not known. Returns NULL with errno (ENOMEM, EMFILE ...). No thread
 * runs yet.
 */
struct engine *engine_new(unsigned int guest_cpus);
/*
 * engine_add() - @turn(@arg) is taken again and again, and never while it is under way. It returns
 * whether it did anything, and comes back in bounded time, but for what it waits between
 * engine_stall() and engine_resume(). Before engine_start(). Returns 0, or -ENOSPC.
 */
int engine_add(struct engine *engine, bool (*turn)(void *arg), void *arg);
/*
 * Start all threads there will ever be: one more than there are turns, so that somebody runs
 * however many wait. Returns 0 or -errno (EAGAIN ...); engine_free() is due in either case.
 */
int engine_start(struct engine *engine);
/* There is work: a napping engine looks at once. From any thread, also before the start. */
void engine_wake(struct engine *engine);
/* Take no more turns. Returns at once; turns under way go on. NULL is fine, here and below. */
void engine_stop(struct engine *engine);
/* Stop, wait until no turn is under way, and end. Whatever a turn waits for has to fail first. */
void engine_free(struct engine *engine);

/* What it chose, and what it did since its start. A round is one turn of each device. */
struct engine_state {
	const char *pace; /* of pace_names */
	unsigned int cpus, guest_cpus;
	uint64_t rounds, naps, work_ns, nap_ns;
};

/* From any thread, while @engine is there. The numbers are of about now. */
void engine_look(const struct engine *engine, struct engine_state *state);

/*
 * Around a wait in a turn: the token is given up, and taken back. Others change what turns share in
 * between. On a thread that is not an engine's both do nothing. No lock that a turn takes is held.
 */
void engine_stall(void);
void engine_resume(void);

#endif

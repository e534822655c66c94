"""The restart harness: every life ends badly once, at each call into a port.

A *scenario* says what is asked of the engine and what must hold in the end. The harness
lets it run once undisturbed and counts the calls into the ports: the transport (connect,
write, disconnect), the house (services of entities), the store (each unit handed over, each
commit) and the clock (now, call at). Then it lets it run again and makes one call go wrong:

- `killed`: the process ends there and then, by `os._exit`, in a process of its own;
- `failing`: it fails, is lost after it took effect, hangs, or is said to be done and is not;
  the entity is gone for a while; the store is full or cannot be written;
- `faulty`: just before it the simulated device gets one of the faults of `simulator.faults`.

After each of these lives the engine is started again on the same store, with the same
peripherals, and `invariants` is asked, together with the scenario's own `judge`. With
`rehearse_recovery` the start itself goes wrong, too, and is followed by another one.

What there is: `scenarios` (recovery in every phase), `requests` (each action at each kind of
device), `sequences` (macros, guided runs, budgets, spacing, a rule), `holding` (windows).

Nothing here needs a running Home Assistant, and no time passes: the loop jumps to the next
timer (`loop`). Devices of entities live in a Home Assistant core without anything but its
states and services (`house`). The truth about peripherals and entities is in a file that
lies outside the process that ends: every frame and service that took effect is written there,
and the next life plays them again at their own times (`world`).

A scenario in ten lines, in one of these files or beside the test that uses it::

    class Feed(Scenario):
        \"""A dose while the lamp is held.\"""

        devices = ("doser", "lamp")
        horizon = 90.0

        async def act(self, life: Life) -> None:
            await life.window("lamp", 0, begins=0, ends=60)
            await life.send("doser", "dose", head_index=0, volume_ml=2)

        def judge(self, life: Life) -> None:
            assert life.world.level() == 0

and in a test: `rehearse(Feed(), tmp_path, killed)`, or `rehearse_drawn(Feed(), tmp_path, 6)`
for six troubles of all kinds, drawn by a seed. A scenario must be found by its name when it
is unpickled: no local class or function. `AQUARIST_LONG=1` takes every call and every fault,
`AQUARIST_SEED` repeats what was drawn.
"""

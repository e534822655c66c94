"""The restart harness: every life ends badly once, at each call into a port.

A *scenario* says what is asked of the engine and what must hold in the end. The harness
lets it run once undisturbed and counts the calls into the ports: the transport (connect,
write, disconnect), the store (each unit handed over, each commit) and the clock (now, call
at). Then it lets it run again for every such call and makes that one go wrong: the write
fails, is lost after it took effect, or hangs; the store is full or cannot be written; or
the process ends there and then, by `os._exit`, in a process of its own. After each of these
lives the engine is started again on the same store, with the same peripherals, and
`invariants` is asked, together with the scenario's own `judge`.

Nothing here needs Home Assistant, and no time passes: the loop jumps to the next timer
(`loop`). The truth about the peripherals is in a file that lies outside the process that
ends: every frame that reached one is written there, and the next life plays them again at
their own times (`world`).

A scenario in ten lines, in `scenarios.py` or beside the test that uses it::

    class Feed(Scenario):
        \"""A dose while the lamp is held.\"""

        devices = ("doser", "lamp")
        horizon = 90.0

        async def act(self, life: Life) -> None:
            await life.window("lamp", 0, begins=0, ends=60)
            await life.send("doser", "dose", head_index=0, volume_ml=2)

        def judge(self, life: Life) -> None:
            assert life.world.level() == 0

and in a test: `rehearse(Feed(), tmp_path, killed)` or `rehearse(Feed(), tmp_path, failing)`.
A scenario must be found by its name when it is unpickled: no local class. `AQUARIST_LONG=1`
takes every call, otherwise a sample is taken that is spread evenly over each port.
"""

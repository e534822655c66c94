"""Transport-free models of Chihiros devices: bytes in, frames out, clock injected.

They behave as the protocol page says, fail on demand, and know the truth that a test needs.
The room knows no transport: a simulated link, a virtual adapter or a proxy drives `Peripheral`.
It builds notifications and reads parameters on its own, so that it shares no bug with the encoder.
"""

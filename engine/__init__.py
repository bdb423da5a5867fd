"""The engine: plans and runs stacks against OpenStack. Its one public door is `engine.door.Engine`.

Layers, top to bottom, each importing only those below: `door` → `runs` → `graph` → `plan` → `resources` →
`cloud`, `state`, `expr` → `model`. It knows neither template dialect, nor HTTP.
"""

"""Files and folders that the mouse carries into the page, as the browser itself reports it."""


def drag(page, paths, x=400, y=400):
    """Carry files or folders over the page and let go there."""
    session = page.context.new_cdp_session(page)
    carried = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": step, "x": x, "y": y, "data": carried})
    session.detach()

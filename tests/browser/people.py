"""Who sits before the page: a browser that gets the session of a client that is logged in."""


def log_in(page, site, client):
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}
    page.context.add_cookies([session])

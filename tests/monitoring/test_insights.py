import pytest
pytestmark = pytest.mark.django_db
def test_smoke(admin_client):
    r = admin_client.get("/insights")
    assert r.status_code == 200
    print(r.text)

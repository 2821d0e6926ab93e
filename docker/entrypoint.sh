#!/bin/sh
# Bring the database and var/ up to this image, then become the server.
set -eu

# Static files belong to the image, not to the volume: a volume would keep the last image's.
rm -rf var/static
ln -s /app/collected/static var/static

# Versions trained here must outlive the image: they lie on the volume, with those that ship.
python docker/copy_models.py models "$CATSDOGS_MODELS"

python manage.py migrate --noinput
python manage.py register_models
[ -z "${CATSDOGS_GRAFANA_PASSWORD:-}" ] || python manage.py grafana_role
exec "$@"

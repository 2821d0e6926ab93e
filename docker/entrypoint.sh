#!/bin/sh
# Bring the database and var/ up to this image, then become the server.
set -eu

# Static files belong to the image, not to the volume: a volume would keep the last image's.
rm -rf var/static
ln -s /app/collected/static var/static

python manage.py migrate --noinput
python manage.py register_models
exec "$@"

# Stand-ins for the public images that docker-compose.yml names, from Debian's packages. The context
# is a folder of unpacked packages; BASE has Node.
ARG BASE
FROM ${BASE} AS packages
COPY . /

# As the public image is built: other hosts may connect although no password is set.
FROM packages AS valkey
WORKDIR /data
ENTRYPOINT ["sh", "-c", "exec \"$@\" --protected-mode no", "--"]

FROM packages AS nginx
RUN mkdir -p /var/log/nginx /var/lib/nginx /run && rm -rf /etc/nginx/sites-enabled
CMD ["nginx", "-g", "daemon off;"]

FROM packages AS prometheus
CMD ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]

# Debian has no Grafana: a server that reads the same mounted files and asks the same data source.
FROM packages AS grafana
CMD ["node", "/grafana.mjs"]

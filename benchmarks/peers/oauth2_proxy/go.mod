// What `make bench` builds oauth2-proxy from.
module bench

go 1.26

require github.com/oauth2-proxy/oauth2-proxy/v7 v7.15.2

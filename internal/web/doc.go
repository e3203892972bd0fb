// Package web is the HTTP side of the gateway: what was asked, and what do we answer? It knows routes,
// status codes, limits on bodies and the page for people. What is kept, and whether a push is consistent,
// is the business of package holdfast; what bytes mean is that of package exposition.
//
// A request passes these layers, outermost first:
//
//   - pace: deadlines that move with progress, and the rest of a body nobody read;
//   - http.ServeMux: cleans paths and parts the query API from the rest;
//   - decode: gzip and snappy bodies, and the limit on bytes received;
//   - route.Router: methods, trailing slashes, letter case;
//   - meters: the request counters;
//   - a replier, which returns an error for anything but success; reply turns it into an answer.
package web

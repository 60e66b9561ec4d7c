/*
 * own_node.h - a broker that a test may stop, freeze or kill.
 */
#ifndef WEIR_TEST_OWN_NODE_H
#define WEIR_TEST_OWN_NODE_H

struct own_node {
    char folder[40];
};

/* Starts `broker` ("kafka", "rabbitmq") with options of scripts/brokers
 * ("--tls"), and sets what it prints (WEIR_KAFKA, WEIR_AMQPS, ...) in the
 * environment. */
void own_node_start(struct own_node *node, const char *broker,
                    const char *options);
/* "stop", "kill", "restart", "freeze", "thaw" */
void own_node_do(const struct own_node *node, const char *verb);
/* Kills it and removes its files. */
void own_node_end(struct own_node *node);

#endif

"""The node's radio: MQTT sessions over the emulated link."""

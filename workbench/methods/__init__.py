"""Distillation methods: one file each, its formula as a pure function and its class below it."""

module riser/peers/pebble-front

go 1.25

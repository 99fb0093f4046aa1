module riser/peers/goverify

go 1.25

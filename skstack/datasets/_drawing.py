"""Photos of drawn houses: what a house is worth shows, under a light, colours and a furniture that do not matter."""

import numpy as np
from PIL import Image, ImageDraw, ImageOps

# Shapes are drawn at twice the size and then halved: that smooths their edges.
_OVERSAMPLING = 2


class _Canvas:
    """An image whose coordinates run from 0 to 1, from left to right and from top to bottom."""

    def __init__(self, size, background):
        self.scale = size * _OVERSAMPLING
        self.image = Image.new("RGB", (self.scale, self.scale), _rgb(background))
        self._draw = ImageDraw.Draw(self.image)

    def rectangle(self, left, top, right, bottom, color, outline=None):
        box = [value * self.scale for value in (left, top, max(left, right), max(top, bottom))]
        self._draw.rectangle(box, fill=_rgb(color), outline=None if outline is None else _rgb(outline))

    def ellipse(self, x, y, width, height, color):
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        self._draw.ellipse([value * self.scale for value in box], fill=_rgb(color))

    def polygon(self, points, color):
        self._draw.polygon([(x * self.scale, y * self.scale) for x, y in points], fill=_rgb(color))

    def line(self, points, color, width=0.01):
        points = [(x * self.scale, y * self.scale) for x, y in points]
        self._draw.line(points, fill=_rgb(color), width=max(1, round(width * self.scale)))


def draw_photo(room, house, rng, size):
    """Draw a photo of a house.

    Parameters
    ----------
    room : {"bathroom", "bedroom", "frontal", "kitchen"}
        What the photo shows.
    house : mapping
        The hidden factors of the house, as ``make_houses`` returns them.
    rng : numpy.random.Generator
        Chooses what does not matter for the price: colours, light, furniture, the side it is seen from.
    size : int
        Width and height in pixels.

    Returns
    -------
    photo : PIL.Image.Image
        An RGB image.
    """
    return _develop(_PAINTERS[room](house, rng, size).image, rng)


def _develop(image, rng):
    """Add what a camera adds: exposure, a colour cast, grain; and half of the photos are taken from the other side."""
    image = image.reduce(_OVERSAMPLING)
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    pixels = np.asarray(image, dtype=np.float32) * (rng.uniform(0.88, 1.06) * rng.uniform(0.96, 1.04, 3))
    pixels += rng.standard_normal(pixels.shape, dtype=np.float32) * 4
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _rgb(color):
    return tuple(int(min(max(channel, 0), 255)) for channel in color)


def _mix(worst, best, quality):
    return tuple(low + (high - low) * quality for low, high in zip(worst, best, strict=True))


def _shade(color, factor):
    return tuple(channel * factor for channel in color)


def _pastel(rng, low=150, high=235):
    return tuple(rng.uniform(low, high, 3))


def _draw_frontal(house, rng, size):
    quality = house["condition"]
    canvas = _Canvas(size, _mix((175, 180, 188), (95, 165, 235), 0.8 * house["sunny"] + 0.2 * rng.random()))
    _draw_ground(canvas, house, rng)
    width = 0.36 + 0.1 * min(house["area"] / 2500, 1.5) + rng.uniform(-0.02, 0.02)
    left = rng.uniform(0.06, 0.12)
    top = 0.70 - 0.2 * house["storeys"]
    _draw_walls(canvas, left, top, left + width, quality, rng)
    for storey in range(house["storeys"]):
        _draw_windows(canvas, left, top + 0.2 * storey, width, quality, leave_door=storey == house["storeys"] - 1)
    door = _mix((95, 80, 70), tuple(rng.uniform(60, 220, 3)), quality)
    canvas.rectangle(left + 0.42 * width, 0.56, left + 0.58 * width, 0.70, door, outline=(60, 50, 45))
    for place in range(house["garage"]):
        start = left + width + 0.01 + 0.16 * place
        canvas.rectangle(start, 0.52, start + 0.15, 0.70, (205, 200, 195), outline=(110, 105, 100))
        for height in (0.58, 0.62, 0.66):
            canvas.line([(start + 0.02, height), (start + 0.13, height)], (140, 135, 130))
    return canvas


def _draw_ground(canvas, house, rng):
    canvas.rectangle(0, 0.70, 1, 1, _mix((165, 150, 100), (80, 150, 60), 0.7 * house["condition"] + 0.3 * rng.random()))
    if house["pool"]:
        canvas.ellipse(0.64, 0.86, 0.5, 0.17, (225, 220, 210))
        canvas.ellipse(0.64, 0.86, 0.44, 0.13, (40, 170, 225))
    if rng.random() < 0.5:
        trunk = rng.uniform(0.86, 0.96)
        canvas.rectangle(trunk - 0.015, 0.45, trunk + 0.015, 0.72, (100, 70, 45))
        canvas.ellipse(trunk, 0.38, 0.18, 0.24, (50, rng.uniform(90, 130), 45))


def _draw_walls(canvas, left, top, right, quality, rng):
    wall = _mix((150, 138, 122), _pastel(rng, 195, 245), quality)
    canvas.rectangle(left, top, right, 0.70, wall)
    roof = _mix((105, 95, 88), (150, 70, 50), quality)
    canvas.polygon([(left - 0.04, top), ((left + right) / 2, top - 0.17), (right + 0.04, top)], roof)
    for _ in range(round(8 * (1 - quality))):
        x, y = rng.uniform(left, right - 0.05), rng.uniform(top, 0.62)
        canvas.ellipse(x + 0.03, y + 0.02, 0.07, 0.05, _shade(wall, rng.uniform(0.6, 0.8)))
        canvas.line([(x, y), (x + 0.03, y + 0.04), (x + 0.02, y + 0.08)], _shade(wall, 0.45))


def _draw_windows(canvas, left, top, width, quality, leave_door):
    frame, glass = _mix((120, 110, 100), (255, 255, 255), quality), _mix((60, 65, 70), (150, 200, 235), quality)
    for place in (0.14, 0.5, 0.86):
        if leave_door and place == 0.5:
            continue
        x = left + place * width
        canvas.rectangle(x - 0.05, top + 0.05, x + 0.05, top + 0.15, frame)
        canvas.rectangle(x - 0.035, top + 0.065, x + 0.035, top + 0.135, glass)


def _draw_room(size, rng, floor, quality, window=True):
    """Draw an empty room in perspective; the back wall is the smaller the deeper the room is."""
    wall = _mix(_pastel(rng, 130, 205), _pastel(rng, 195, 245), quality)
    canvas = _Canvas(size, _shade(wall, 0.85))
    depth = rng.uniform(0.16, 0.24)
    canvas.polygon([(0, 0), (1, 0), (1 - depth, depth), (depth, depth)], (238, 236, 232))
    canvas.polygon([(0, 1), (1, 1), (1 - depth, 0.72), (depth, 0.72)], floor)
    canvas.rectangle(depth, depth, 1 - depth, 0.72, wall)
    if window:
        reach = 0.05 + 0.08 * quality
        x = rng.uniform(0.4, 0.6)
        canvas.rectangle(x - reach - 0.015, 0.25, x + reach + 0.015, 0.44, (250, 250, 250))
        canvas.rectangle(x - reach, 0.265, x + reach, 0.425, _mix((120, 130, 140), (190, 225, 250), quality))
    return canvas


def _draw_clutter(canvas, quality, rng):
    for _ in range(round(7 * (1 - quality))):
        x, y, reach = rng.uniform(0.1, 0.85), rng.uniform(0.78, 0.9), rng.uniform(0.03, 0.07)
        canvas.rectangle(x, y, x + reach, y + reach, tuple(rng.uniform(30, 200, 3)))


def _draw_kitchen(house, rng, size):
    quality = house["kitchen"]
    floor = _mix((150, 125, 100), (205, 195, 185), quality)
    canvas = _draw_room(size, rng, floor, quality)
    cabinet = _mix((115, 80, 50), (242, 240, 234), np.clip(quality + rng.normal(0, 0.08), 0, 1))
    canvas.rectangle(0.1, 0.2, 0.38, 0.4, cabinet, outline=_shade(cabinet, 0.6))
    canvas.rectangle(0.68, 0.2, 0.9, 0.4, cabinet, outline=_shade(cabinet, 0.6))
    canvas.rectangle(0.08, 0.56, 0.92, 0.78, cabinet, outline=_shade(cabinet, 0.6))
    for x in (0.24, 0.4, 0.56, 0.72):
        canvas.line([(x, 0.57), (x, 0.77)], _shade(cabinet, 0.65))
    canvas.rectangle(0.07, 0.53, 0.93, 0.57, _mix((140, 120, 95), (60, 60, 68), quality))
    oven = rng.uniform(0.28, 0.5)
    canvas.rectangle(oven, 0.57, oven + 0.16, 0.76, _mix((225, 215, 180), (135, 142, 150), quality))
    canvas.rectangle(oven + 0.03, 0.63, oven + 0.13, 0.72, (35, 35, 40))
    if quality > 0.6:
        canvas.rectangle(0.28, 0.80, 0.72, 0.84, (240, 240, 245))
        canvas.rectangle(0.31, 0.84, 0.69, 0.97, _shade(cabinet, 0.85))
    for place in range(int(4 * quality)):
        canvas.ellipse(0.34 + 0.13 * place, 0.17, 0.06, 0.06, (255, 225, 120))
    _draw_clutter(canvas, quality, rng)
    return canvas


def _draw_bathroom(house, rng, size):
    quality = house["bathroom"]
    floor = _mix((150, 140, 110), (225, 225, 228), quality)
    canvas = _draw_room(size, rng, floor, quality, window=False)
    tile = _mix((165, 150, 115), _mix(_pastel(rng, 205, 240), (235, 240, 245), 0.5), quality)
    canvas.rectangle(0.2, 0.34, 0.8, 0.72, tile)
    for step in np.arange(0.2, 0.8, 0.08 + 0.06 * quality):
        canvas.line([(step, 0.34), (step, 0.72)], _shade(tile, 0.7 + 0.2 * quality), 0.006)
    reach = 0.10 + 0.16 * quality
    canvas.rectangle(0.32 - reach / 2, 0.26, 0.32 + reach / 2, 0.48, _mix((130, 130, 125), (205, 230, 245), quality))
    for place in range(1 + (quality > 0.5)):
        x = 0.24 + 0.18 * place
        canvas.rectangle(x - 0.08, 0.60, x + 0.08, 0.76, _mix((125, 95, 65), (70, 60, 55), quality))
        canvas.ellipse(x, 0.60, 0.14, 0.06, (250, 250, 250))
    if quality > 0.35:
        canvas.ellipse(0.72, 0.72, 0.26 + 0.1 * quality, 0.16, (252, 252, 252))
        canvas.rectangle(0.58, 0.72, 0.87, 0.80, (245, 245, 245))
    else:
        canvas.rectangle(0.6, 0.2, 0.85, 0.78, tuple(rng.uniform(90, 200, 3)))
    for _ in range(round(10 * (1 - quality))):
        canvas.ellipse(rng.uniform(0.1, 0.9), rng.uniform(0.4, 0.95), 0.04, 0.03, _shade(tile, 0.55))
    return canvas


def _draw_bedroom(house, rng, size):
    quality = house["bedroom"]
    floor = _mix((135, 130, 125), (190, 130, 75), quality)
    canvas = _draw_room(size, rng, floor, quality)
    if quality > 0.4:
        for x in np.linspace(0.05, 0.95, 8):
            canvas.line([(x, 1), (0.5 + (x - 0.5) * 0.62, 0.72)], _shade(floor, 0.8), 0.006)
    reach = 0.16 + 0.1 * quality
    cover = tuple(rng.uniform(60, 220, 3))
    canvas.rectangle(0.5 - reach, 0.46, 0.5 + reach, 0.64, _mix((110, 85, 60), (60, 45, 40), quality))
    canvas.polygon([(0.5 - reach, 0.6), (0.5 + reach, 0.6), (0.56 + reach, 0.88), (0.44 - reach, 0.88)], cover)
    for place in range(1 + int(4 * quality)):
        canvas.rectangle(0.5 - reach + 0.09 * place, 0.56, 0.57 - reach + 0.09 * place, 0.63, (250, 250, 250))
    for x in (0.18, 0.82) if quality > 0.55 else ():
        canvas.ellipse(x, 0.5, 0.08, 0.08, (255, 225, 140))
        canvas.rectangle(x - 0.04, 0.6, x + 0.04, 0.74, (95, 70, 50))
    _draw_clutter(canvas, quality, rng)
    return canvas


_PAINTERS = {
    "bathroom": _draw_bathroom,
    "bedroom": _draw_bedroom,
    "frontal": _draw_frontal,
    "kitchen": _draw_kitchen,
}
